/** What the demo shows while it runs. */
import cliProgress from 'cli-progress';

export interface ProgressView {
  /**
   * @param open orders that are still on their way
   * @param statuses how many orders are in which
   */
  show(open: number, statuses: Readonly<Record<string, number>>): void;
  stop(): void;
}

/** A live bar on a terminal; elsewhere a line whenever something changed. */
export function progressView(stream: NodeJS.WriteStream, total: number): ProgressView {
  if (stream.isTTY !== true) {
    let last = '';
    return {
      show(_open, statuses) {
        const line = text(statuses);
        if (line !== last) stream.write(`${line}\n`);
        last = line;
      },
      stop: () => undefined,
    };
  }
  const bar = new cliProgress.SingleBar(
    { format: '{bar} {value}/{total}  {text}', hideCursor: true, stream },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0, { text: '' });
  return {
    show: (open, statuses) => bar.update(Math.max(0, taken(statuses) - open), { text: text(statuses) }),
    stop: () => bar.stop(),
  };
}

function text(statuses: Readonly<Record<string, number>>): string {
  return Object.entries(statuses)
    .map(([status, n]) => `${status} ${n}`)
    .join('  ');
}

function taken(statuses: Readonly<Record<string, number>>): number {
  return Object.values(statuses).reduce((sum, n) => sum + n, 0);
}
