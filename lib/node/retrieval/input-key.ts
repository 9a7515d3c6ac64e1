/** A file in one state: another size or time of change is another input. */
export function inputKey(path: string, size: number | null, mtime: number | null): string {
  return `${path}\0${size}\0${mtime}`;
}
