/** Prometheus' text format, read line by line (Prometheus documentation, "Exposition formats"). */

/** One line with a value. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const HELP = /^# HELP ([a-zA-Z_:][\w:]*) \S/;
const TYPE = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/;
const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|Nan)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/g;

/** @throws where a line is none of the format, a metric has no help or no type, or a series stands there twice */
export function samplesOf(text: string): Sample[] {
  const helped = new Set<string>();
  const typed = new Set<string>();
  const seen = new Set<string>();
  const samples: Sample[] = [];
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, help] = HELP.exec(line) ?? [];
    const [, type] = TYPE.exec(line) ?? [];
    const declared = help ?? type;
    if (declared !== undefined) {
      const known = help === undefined ? typed : helped;
      if (known.has(declared)) throw new Error(`declared twice: ${line}`);
      known.add(declared);
      continue;
    }
    const [, name, labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (name === undefined) throw new Error(`no line of the format: ${line}`);
    const family = typed.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    if (!helped.has(family) || !typed.has(family)) throw new Error(`undeclared: ${line}`);
    const series = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    const pairs = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, text]);
    samples.push({
      name,
      labels: Object.fromEntries(pairs),
      value: Number(value.replace('Inf', 'Infinity')),
    });
  }
  return samples;
}

/** The value of the one series that has these labels; undefined where there is none. @throws where there are several */
export function sampleOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const fits = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (fits.length > 1) throw new Error(`${fits.length} series are ${name} ${JSON.stringify(labels)}`);
  return fits[0]?.value;
}
