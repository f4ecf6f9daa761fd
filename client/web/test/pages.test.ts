import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "../src/client/api.ts";
import { Pages, all, type Ask } from "../src/client/pages.ts";

/** A list of numbers, the newest first, five a page; the cursor is the last number that was told. */
function server(newest: number): { numbers: number[]; ask: Ask<number> } {
  const numbers = Array.from({ length: newest }, (_, at) => newest - at);
  const ask: Ask<number> = async (cursor) => {
    const rest = numbers.filter((number) => cursor === undefined || number < Number(cursor));
    return { items: rest.slice(0, 5), next_cursor: rest.length > 5 ? String(rest[4]) : null };
  };
  return { numbers, ask };
}

const further = async (pages: Pages<number>, cursor: number): Promise<void> => pages.further(String(cursor));

test("a list that is read as a whole is read to its end", async () => {
  assert.deepEqual(await all(server(12).ask), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(await all(server(0).ask), []);
});

test("what was read further back stays when something new comes on top", async () => {
  const { numbers, ask } = server(12);
  const pages = new Pages(ask, String);
  await pages.look();
  assert.deepEqual(pages.items, [12, 11, 10, 9, 8]);
  await further(pages, 8);
  numbers.unshift(14, 13);
  await pages.look();
  assert.deepEqual(pages.items, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  await further(pages, 3);
  assert.deepEqual(pages.items, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.equal(pages.more, null);
});

test("what is gone from the beginning goes, and a gap is never shown", async () => {
  const { numbers, ask } = server(12);
  const pages = new Pages(ask, String);
  await pages.look();
  await further(pages, 8);
  numbers.splice(1, 1);
  await pages.look();
  assert.deepEqual(pages.items, [12, 10, 9, 8, 7, 6, 5, 4, 3]);
  numbers.unshift(...Array.from({ length: 6 }, (_, at) => 18 - at));
  await pages.look();
  assert.deepEqual(pages.items, [18, 17, 16, 15, 14]);
  await further(pages, 14);
  assert.deepEqual(pages.items, [18, 17, 16, 15, 14, 13, 12, 10, 9, 8]);
});

test("answers that come late change nothing", async () => {
  const waiting: ((page: Page<number>) => void)[] = [];
  const pages = new Pages<number>(() => new Promise((resolve) => waiting.push(resolve)), String);
  const [old, fresh] = [pages.look(), pages.look()];
  waiting[1]?.({ items: [3, 2], next_cursor: "2" });
  await fresh;
  waiting[0]?.({ items: [2, 1], next_cursor: null });
  await old;
  assert.deepEqual(pages.items, [3, 2]);
  const [first, twice] = [further(pages, 2), further(pages, 2)];
  waiting[2]?.({ items: [1], next_cursor: null });
  waiting[3]?.({ items: [1], next_cursor: null });
  await Promise.all([first, twice]);
  assert.deepEqual(pages.items, [3, 2, 1]);
});

test("a problem is told, and what is known stays", async () => {
  let away = false;
  const { ask } = server(3);
  const pages = new Pages(async (cursor) => (away ? Promise.reject(new Error("away")) : ask(cursor)), String);
  await pages.look();
  away = true;
  await pages.look();
  assert.deepEqual([pages.items, pages.problem], [[3, 2, 1], "away"]);
  away = false;
  await pages.look();
  assert.equal(pages.problem, null);
});
