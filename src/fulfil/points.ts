/** The places on an operation's way at which a process can be stopped from outside, named so that tests can do it. */

/**
 * In the order in which one bell passes them: before and after the gate's permit; the claim with its attempt is
 * committed; the socket is about to be written; the request is over and nothing of it is stored; the settlement is
 * committed; the queue knows that the job is done.
 */
export type Point =
  | 'gate.before'
  | 'gate.after'
  | 'claimed'
  | 'socket.write'
  | 'answer.read'
  | 'settled'
  | 'acked';

/**
 * Called as an operation passes a point, before anything else happens; it goes on when the promise resolves, save for
 * `socket.write` and `acked`, which wait for nobody. Nothing in packline gives one.
 */
export type At = (point: Point, operationId: string) => void | Promise<void>;
