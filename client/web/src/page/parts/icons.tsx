/** Line icons, drawn on a 16 px grid. */

const PATHS = {
  undo: "M6 3 3 6l3 3M3 6h6a4 4 0 0 1 0 8H7",
  redo: "m10 3 3 3-3 3M13 6H7a4 4 0 0 0 0 8h2",
  loop: "M4 6.5A4 4 0 0 1 8 4h5m0 0-2-2m2 2-2 2m1 3.5A4 4 0 0 1 8 12H3m0 0 2 2m-2-2 2-2",
  earlier: "M3 3.5v9M13 8H6m0 0 3-3M6 8l3 3",
  later: "M13 3.5v9M3 8h7m0 0L7 5m3 3-3 3",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  close: "m4 4 8 8m0-8-8 8",
  note: "M3 3.5h10v7H8l-3 2.5v-2.5H3z",
  history: "M3 8a5 5 0 1 0 1.6-3.7L3 5.8M3 3v2.8h2.8M8 5.5V8l2 1.2",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5",
  share: "M8 9.5V2.5m0 0L5.5 5M8 2.5 10.5 5M3.5 9v4h9V9",
  flag: "M4 14V2.5h8l-2 3 2 3H4",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  chevron: "m4.5 6.5 3.5 3 3.5-3",
  keyboard: "M2 4.5h12v7H2zM4.5 7h.01M7 7h.01M9.5 7h.01M12 7h.01M5 9.5h6",
  lock: "M4.5 7.5h7v5.5h-7zM6 7.5V5.5a2 2 0 0 1 4 0v2",
  check: "m3.5 8.5 3 3 6-7",
  play: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  locate: "M4 3v10M12.5 3.5v9L6.5 8z",
  mic: "M8 2.5a1.8 1.8 0 0 1 1.8 1.8v3.4a1.8 1.8 0 0 1-3.6 0V4.3A1.8 1.8 0 0 1 8 2.5M4 7.5a4 4 0 0 0 8 0M8 11.5v2.5",
  muted: "M9.8 6V4.3a1.8 1.8 0 0 0-3.4-.8M6.2 6.5v1.2a1.8 1.8 0 0 0 2.7 1.6M4 7.5a4 4 0 0 0 6.4 3.2M12 7.5a4 4 0 0 1-.3 1.5M8 11.5v2.5M3 2.5l10 11",
  metronome: "M6 2.5h4l2.5 11h-9zM8 10l4-6.5M4.5 10.5h7",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
