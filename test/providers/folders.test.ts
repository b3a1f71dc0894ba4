import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findProvider, providers } from '../../src/providers/registry.js';
import { subjects } from './subjects.js';

const root = fileURLToPath(new URL('../../src/providers/', import.meta.url));
const tests = fileURLToPath(new URL('./', import.meta.url));
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

describe('the folders of the providers', () => {
  test('are the providers of the registry', () => {
    expect(folders.length).toBeGreaterThan(0);
    expect(providers.map(({ id }) => id).sort()).toEqual(folders);
  });

  test.each(folders)('%s holds the same five files as every other', (folder) => {
    expect(readdirSync(`${root}${folder}`).sort()).toEqual([
      'README.md',
      'index.ts',
      'map.ts',
      'policy.ts',
      'wire.ts',
    ]);
  });

  test.each(folders)('%s runs the conformance suite, at accounts of its own', (folder) => {
    expect(existsSync(`${tests}${folder}/conformance.test.ts`)).toBe(true);
    expect(subjects[folder]?.map(({ id }) => id)).toEqual(subjects[folder]?.map(() => folder));
  });

  test.each(folders)('%s is found by its id', (folder) => {
    expect(findProvider(folder)?.id).toBe(folder);
  });

  test('an unknown id finds nothing', () => {
    expect(findProvider('nobody')).toBeNull();
  });
});
