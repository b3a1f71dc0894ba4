/**
 * @fastify/static requires this ES module as CommonJS. Node does that since 20.19, Jest's own module loader does not:
 * here Node's loads it.
 */
const { createRequire } = process.getBuiltinModule('node:module');

module.exports = createRequire(__filename)('content-disposition');
