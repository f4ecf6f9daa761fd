/** What differs between two states, a page at a time: there may be thousands. */

import { useState } from "preact/hooks";
import type { Difference, Page } from "../../client/api.ts";
import { Button } from "../parts/button.tsx";

interface DifferencesProps { readonly first: Page<Difference>; readonly more: (cursor: string) => Promise<Page<Difference>>; readonly onProblem: (error: Error) => void; readonly testid: string }

export function Differences({ first, more, onProblem, testid }: DifferencesProps) {
  const [shown, setShown] = useState<readonly Page<Difference>[]>([first]);
  const pages = shown[0] === first ? shown : [first]; // another comparison begins anew
  const next = pages.at(-1)?.next_cursor ?? null;
  const items = pages.flatMap((page) => page.items);
  return (
    <>
      <ul class="version__differences" data-testid={testid}>
        {items.length === 0 ? <li>Nothing has changed since.</li> : items.map((difference, at) => <li key={at}>{difference.text}</li>)}
      </ul>
      {next !== null && <Button kind="quiet" onClick={() => void more(next).then((page) => setShown([...pages, page]), onProblem)} testid={`${testid}-more`}>More differences</Button>}
    </>
  );
}
