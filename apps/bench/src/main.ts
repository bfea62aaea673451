// Not written yet. Fails on purpose, so that nobody takes its silence for a result.
console.error('bench: not written yet');
process.exitCode = 1;

export {};
