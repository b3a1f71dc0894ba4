/**
 * Groups concurrent single requests into few statements. An idle batcher runs at once, so nothing waits for
 * company; a busy one collects what arrives meanwhile.
 */

export interface BatcherOptions<Item, Answer> {
  /** Runs one batch; one answer per item, in their order. */
  run(items: readonly Item[]): Promise<readonly Answer[]>;
  /** Items of one batch at most. */
  max: number;
  /** Batches under way at most. */
  inFlight: number;
}

export interface Batcher<Item, Answer> {
  /** Rejects only where the item's batch failed and the item failed alone as well. */
  submit(item: Item): Promise<Answer>;
}

interface Waiting<Item, Answer> {
  item: Item;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** See the module's comment. A batch that fails is tried item by item, so that one bad row does not fail its company. */
export function createBatcher<Item, Answer>(options: BatcherOptions<Item, Answer>): Batcher<Item, Answer> {
  let waiting: Waiting<Item, Answer>[] = [];
  let running = 0;
  let scheduled = false;

  const schedule = () => {
    if (scheduled || waiting.length === 0 || running >= options.inFlight) return;
    scheduled = true;
    // The next turn of the event loop: whatever was made ready in this one goes along.
    setImmediate(() => {
      scheduled = false;
      const batch = waiting.slice(0, options.max);
      waiting = waiting.slice(options.max);
      running += 1;
      void runBatch(batch).finally(() => {
        running -= 1;
        schedule();
      });
      schedule();
    });
  };

  const runBatch = async (batch: Waiting<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await options.run(batch.map(({ item }) => item));
      if (answers.length !== batch.length)
        throw new Error(`${batch.length} items, ${answers.length} answers`);
      batch.forEach((entry, index) => {
        // The lengths were compared above, so every index has its answer.
        entry.resolve(answers[index] as Answer);
      });
    } catch (error) {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) {
        only.reject(error);
        return;
      }
      // One after the other: the batch has one place among those under way.
      for (const entry of batch) await runBatch([entry]);
    }
  };

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        schedule();
      }),
  };
}
