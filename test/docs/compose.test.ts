/** docker-compose.yml and the Dockerfile, as far as they can be judged without Docker. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { commonConfig } from '../../src/accounts/settings.js';
import { readConfig } from '../../src/config.js';
import { packline } from '../cli/fakes.js';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const source = read('docker-compose.yml');

const dependency = z.object({ condition: z.string() });
const service = z.object({
  build: z.string().optional(),
  image: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z.record(z.string(), dependency).optional(),
  healthcheck: z.union([z.object({ test: z.array(z.string()) }), z.object({ disable: z.literal(true) })]),
  stop_grace_period: z.string().regex(/^\d+s$/),
  ports: z.array(z.string()).optional(),
  deploy: z.object({ replicas: z.int() }).optional(),
});
const { services } = z
  .object({ services: z.record(z.string(), service) })
  .parse(parse(source, { merge: true }));
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
const roles = ours.filter(([name]) => name !== 'migrate');

const named = (name: string) => {
  const found = services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};

test('there is everything that a running packline needs, with two workers', () => {
  expect(Object.keys(services).sort()).toEqual(
    ['api', 'dispatcher', 'maintenance', 'migrate', 'postgres', 'redis', 'worker'].sort(),
  );
  expect(named('worker').deploy).toEqual({ replicas: 2 });
  expect(named('postgres').image).toBe('postgres:18');
});

test('Redis never evicts and keeps what it was given', () => {
  const { command } = named('redis');
  expect(command.join(' ')).toContain('--maxmemory-policy noeviction');
  expect(command.join(' ')).toContain('--appendonly yes');
});

test.each(ours)('%s runs a verb of the command line', async (_name, { command }) => {
  const { code, stdout, stderr } = await packline([...command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: packline ${command.join(' ')} `);
});

test('each role runs once', () => {
  expect(roles.map(([, { command }]) => command).sort()).toEqual([
    ['api'],
    ['dispatch'],
    ['maintain'],
    ['work'],
  ]);
});

test.each(roles)('%s begins after the migration, on services that are healthy', (_name, { depends_on }) => {
  expect(depends_on).toEqual({
    migrate: { condition: 'service_completed_successfully' },
    postgres: { condition: 'service_healthy' },
    redis: { condition: 'service_healthy' },
  });
});

test.each(roles)('%s is healthy when /readyz says so, asked without curl', (_name, { healthcheck }) => {
  expect(healthcheck).toMatchObject({ test: ['CMD', 'node', '-e', expect.stringContaining('/readyz')] });
});

test.each(roles)('%s may finish its calls before it is killed', (_name, { stop_grace_period }) => {
  const { requestTimeoutMs } = commonConfig.parse({});
  expect(Number.parseInt(stop_grace_period, 10) * 1_000).toBeGreaterThan(requestTimeoutMs + 5_000);
});

test('only the API is published, and on loopback', () => {
  const published = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
  expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['api', ['127.0.0.1:4000:4000']]]);
});

test.each(ours)('the environment of %s is one that packline takes', (_name, { environment = {} }) => {
  const given = {
    POSTGRES_PASSWORD: 'a1b2c3',
    PACKLINE_API_KEY: 'k'.repeat(48),
    PACKLINE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  };
  const filled = Object.fromEntries(
    Object.entries(environment).map(([name, text]) => [name, fill(text, given)]),
  );
  expect(readConfig(filled)).toMatchObject({ ok: true, warnings: [] });
});

/** `${NAME:?message}` and `${NAME:-default}`, as Compose reads them. */
function fill(text: string, given: Record<string, string>): string {
  return text.replace(/\$\{(\w+):([?-])([^}]*)\}/g, (_all, name: string, kind: string, rest: string) => {
    const value = given[name] ?? (kind === '-' ? rest : undefined);
    if (value === undefined) throw new Error(`${name} is not set: ${rest}`);
    return value;
  });
}

describe('secrets', () => {
  const secrets = ['POSTGRES_PASSWORD', 'PACKLINE_API_KEY', 'PACKLINE_ENCRYPTION_KEY'];

  test.each(secrets)('%s has no default: Compose stops without it', (name) => {
    const uses = [...source.matchAll(new RegExp(`\\$\\{${name}([^}]*)\\}`, 'g'))].map(([, rest]) => rest);
    expect(uses.length).toBeGreaterThan(0);
    for (const rest of uses) expect(rest).toMatch(/^:\?./);
  });

  test('.env.example has the name of every variable that is read, and the value of no secret', () => {
    const lines = read('.env.example')
      .split('\n')
      .filter((line) => /^\w+=/.test(line));
    const names = lines.map((line) => line.slice(0, line.indexOf('=')));
    const wanted = new Set([...source.matchAll(/\$\{(\w+):/g)].map(([, name = '']) => name));
    expect(names).toEqual(expect.arrayContaining([...wanted]));
    expect(lines.filter((line) => !line.endsWith('='))).toEqual(['LOG_LEVEL=info']);
  });
});

describe('the image', () => {
  const dockerfile = read('Dockerfile');
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const runtime = stages.at(-1) ?? '';

  test('is built in one stage and run in another, on a Node that packline supports', () => {
    expect(stages.map((stage) => stage.split(/\s/)[0])).toEqual([
      'node:20-bookworm-slim',
      'node:20-bookworm-slim',
    ]);
  });

  test('holds what the build made, and no dev dependencies', () => {
    expect(runtime).toContain('npm ci --omit=dev --omit=optional --ignore-scripts');
    expect(runtime).toMatch(/^COPY prisma prisma$/m);
    expect(runtime).toMatch(/^COPY --from=build \/app\/dist\/src dist\/src$/m);
    expect(runtime).not.toMatch(/^COPY \. /m);
  });

  test('runs the command line as a user without rights, and tells its health', () => {
    expect(runtime).toMatch(/^USER node$/m);
    expect(runtime).toMatch(/^ENTRYPOINT \["node", "dist\/src\/cli\/main\.js"\]$/m);
    expect(runtime).toMatch(/^HEALTHCHECK [\s\S]*\/readyz/m);
  });

  test('is built from named files alone, none of which is a secret', () => {
    const lines = read('.dockerignore').trim().split('\n');
    expect(lines[0]).toBe('*');
    const sent = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(sent).toEqual(
      expect.arrayContaining(['package.json', 'package-lock.json', 'prisma', 'src', 'workers']),
    );
    expect(sent.filter((name) => name.includes('.env') || name.includes('accounts'))).toEqual([]);
  });
});
