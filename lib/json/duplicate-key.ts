/**
 * The first key that an object in valid JSON text holds twice; undefined if there is none. JSON.parse keeps the last one.
 *
 * One walk over strings and brackets: in valid JSON a string is a key if and only if a colon follows it.
 */
export function firstDuplicateKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{") keys.push(new Set());
    else if (character === "}") keys.pop();
    else if (character === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      if (!colonFollows(text, i + 1)) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      if (keys.at(-1)?.has(key)) return key;
      keys.at(-1)?.add(key);
    }
  }
  return undefined;
}

function colonFollows(text: string, position: number): boolean {
  while (/\s/.test(text[position] ?? "")) position++;
  return text[position] === ":";
}
