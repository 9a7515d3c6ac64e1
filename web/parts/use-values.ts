import { useEffect, useState } from "preact/hooks";
import { notifyError } from "../state/notices.ts";

/** What `read` gives for a key; null while it is read, or for a null key. */
export function useValues<T>(key: string | null, read: () => Promise<T | null>): T | null {
  const [found, setFound] = useState<{ readonly key: string; readonly value: T | null } | null>(null);
  useEffect(() => {
    if (key === null) return undefined;
    let isWanted = true;
    read().then((value) => {
      if (isWanted) setFound({ key, value });
    }, notifyError);
    return () => {
      isWanted = false;
    };
  }, [key]);
  return found !== null && found.key === key ? found.value : null;
}
