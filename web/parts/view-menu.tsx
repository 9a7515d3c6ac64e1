/** The menu of views, in one row that scrolls where it does not fit. */
import { useEffect, useRef } from "preact/hooks";
import { navigate, route } from "../state/navigation.ts";
import { viewGroups } from "../state/views.ts";

export function ViewMenu() {
  const menu = useRef<HTMLElement>(null);
  const { view } = route.value;
  useEffect(() => {
    menu.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [view]);
  return (
    <nav class="view-menu" aria-label="Views" ref={menu}>
      {viewGroups.map(({ title, views }) => (
        <div role="group" aria-label={title}>
          {views.map(({ name, title: text }) => (
            <button
              type="button"
              aria-current={view === name ? "page" : undefined}
              onClick={() => {
                navigate({ view: name });
              }}
            >
              {text}
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
