/** How far long work is: a bar for a person, plain lines for a log. Always on stderr. */
import cliProgress from 'cli-progress';

/** `done` counts up to the total; `stop` must be called, whatever happened. */
export interface Progress {
  update(done: number): void;
  /** A line beside the display. */
  note(text: string): void;
  stop(): void;
}

export interface ProgressOptions {
  /** What is counted, such as `orders`. */
  label: string;
  total: number;
  stream: NodeJS.WritableStream;
  /** A person is watching. */
  isTTY: boolean;
}

// Rare enough for a log, often enough to see that something moves: one line per full batch of the API (500 orders).
const LINE_EVERY = 500;

function startBar({ label, total, stream }: ProgressOptions): Progress {
  const bar = new cliProgress.SingleBar({
    format: `{bar} {percentage}% | {value} of {total} ${label} | {duration_formatted}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream,
    // A note wipes the bar, so it is drawn again even where nothing changed.
    forceRedraw: true,
    // Its own handlers would end the process on a signal that belongs to the roles.
    gracefulExit: false,
  });
  bar.start(total, 0);
  return {
    update: (done) => bar.update(done),
    // Carriage return and "erase to the end of the line" (ECMA-48): the bar stands there.
    note: (text) => stream.write(`\r\u001b[K${text}\n`),
    stop: () => bar.stop(),
  };
}

function startLines({ label, total, stream }: ProgressOptions): Progress {
  let printed = 0;
  return {
    update: (done) => {
      const due = done >= total || Math.floor(done / LINE_EVERY) > Math.floor(printed / LINE_EVERY);
      if (done === printed || !due) return;
      printed = done;
      stream.write(`${done} of ${total} ${label}\n`);
    },
    note: (text) => stream.write(`${text}\n`),
    stop: () => {},
  };
}

export function startProgress(options: ProgressOptions): Progress {
  // Stderr may go to a file while stdout is a terminal.
  const drawable = 'isTTY' in options.stream && options.stream.isTTY === true;
  return options.isTTY && drawable ? startBar(options) : startLines(options);
}

/** For work too short to be watched. */
export const noProgress: Progress = { update: () => {}, note: () => {}, stop: () => {} };
