/** Lists in pages, as parts of the page use them. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { Pages, type Ask } from "../../client/pages.ts";
import { useChanges } from "./store.ts";
import { useReading, useStudio } from "./studio.ts";

const SETTLE_MS = 800;

/** A list, read from its beginning; another one when what it is about changes. */
export function usePages<T>(ask: Ask<T>, nameOf: (item: T) => string, about: readonly unknown[]): Pages<T> {
  const pages = useMemo(() => new Pages(ask, nameOf), about);
  useEffect(() => void pages.look(), [pages]);
  useChanges(pages);
  return pages;
}

/** Looks again after the document was changed or saved: soon, and not more often however fast edits come. */
export function useAgain(look: () => void): void {
  const { session } = useStudio();
  const { document } = useReading();
  useChanges(session.saved);
  const { light } = session.saved;
  const latest = useRef(look);
  latest.current = look;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) timer.current ??= setTimeout(() => {
      timer.current = null;
      latest.current();
    }, SETTLE_MS);
    first.current = false;
  }, [document, light]);
  useEffect(() => () => {
    if (timer.current !== null) clearTimeout(timer.current);
  }, []);
}
