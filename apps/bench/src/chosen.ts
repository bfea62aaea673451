// A flag that chooses one of a program's parts, or all of them.

/** The flag. */
export function choiceAmong(says: string, parts: Readonly<Record<string, unknown>>) {
  return { kind: 'choice', says, default: 'all', choices: ['all', ...Object.keys(parts)] } as const;
}

/** The parts that the flag's value chooses, with their names. */
export function chosen<Part>(parts: Readonly<Record<string, Part>>, choice: string): readonly [string, Part][] {
  return Object.entries(parts).filter(([name]) => choice === 'all' || choice === name);
}
