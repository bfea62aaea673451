// Loaded ahead of a program that is started for a while: it ends with whoever started it, however that one ends.
process.once('disconnect', () => process.exit());
process.channel?.unref();
