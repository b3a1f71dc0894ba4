/** `packline recover`: goes on with a database that was restored, copied, or taken over. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RecoveryJson } from '../views.js';
import { addVerb, does, durationMs, type Shell } from './context.js';
import type { Output } from './output.js';

interface RecoverOptions {
  force: boolean;
  /** ms */
  lookFirst: number;
}

// Shops send again what they are not sure of within a working day, as a rule.
const LOOK_FIRST = '1d';

function duration(text: string): number {
  const ms = text === '0' ? 0 : durationMs(text);
  if (ms === null) throw new InvalidArgumentError('Write a duration such as 30m, 2h or 3d, or 0.');
  return ms;
}

function print(out: Output, { recovered, why, looks, letters, tokens }: RecoveryJson): void {
  if (!recovered) {
    out.line(
      'Nothing to recover: this is the database that packline knows. (--force recovers it all the same.)',
    );
    return;
  }
  if (why !== null) out.line(`Recovered: ${why}`);
  out.line(`${looks} operations are looked for before anything is sent.`);
  out.line(`${letters} operations cannot be looked for: see "packline dead-letters list --code restored".`);
  if (tokens > 0)
    out.line(
      `${tokens} accounts keep their access tokens until these are refused; then install the app again.`,
    );
}

export function addRecover(program: Command, shell: Shell): void {
  const command = addVerb(program, {
    usage: 'recover',
    help:
      'Go on after the database was restored, copied, or taken over by another server: what was unfinished is ' +
      'looked for at the providers before anything is sent. Stop every packline that still runs on the old one first.',
    examples: ['packline recover', 'packline recover --force --look-first 3d'],
  })
    .option('--force', 'even where nothing points to another database', false)
    .option(
      '--look-first <duration>',
      'for so long, look for orders that come in before they are sent: shops send again what the dump lacks',
      duration,
      duration(LOOK_FIRST),
    );
  does(shell, command, (call, { force, lookFirst }: RecoverOptions) =>
    call.ask(
      (operator) => operator.recover({ actor: call.actor, force, lookFirstMs: lookFirst }),
      (recovery) => print(call.out, recovery),
    ),
  );
}
