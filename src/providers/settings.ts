/** What accounts of several providers are configured with: parts of their `config` and `credentials` schemas. */
import { z } from 'zod';

/** The address of a service, to which paths are added: absolute, and without slashes at its end. */
export const serviceUrl = z
  .string()
  .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), {
    error: 'must be an absolute http or https URL',
    abort: true,
  })
  .refine((text) => {
    const { username, password } = new URL(text);
    // In the text itself: a ? or # with nothing behind it leaves no trace in the parsed URL.
    return username === '' && password === '' && !/[?#]/.test(text);
  }, 'must not hold a user name, password, query or fragment')
  .transform((text) => text.replace(/\/+$/, ''));

/** A header's value: visible ASCII (RFC 9110, "Field Values"), without the spaces that copying drags along. */
export const headerValue = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces');
