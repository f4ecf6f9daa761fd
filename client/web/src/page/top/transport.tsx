/** Play, stop, with whom, metronome and count-in, and where it is. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Following } from "../../transport/deck.ts";
import { IconButton } from "../parts/button.tsx";
import { useChanges } from "../state/store.ts";
import { useReading, useStudio } from "../state/studio.ts";

const COUNT_INS = [0, 1, 2] as const;

export function TransportTools() {
  const { sound: { deck, metronome }, ui } = useStudio();
  useChanges(deck);
  const [clicking, setClicking] = useState(metronome.on);
  const click = (): void => {
    if (metronome.on) metronome.silence();
    else void metronome.start();
    setClicking(metronome.on);
  };
  const room = deck.following === "room";
  const whose = room ? (deck.commands ? "for everybody who plays along" : "on your own") : "for you";
  return (
    <div class="tools__group" role="group" aria-label="Transport">
      <IconButton icon="locate" label="Go to the edit cursor" keys="G" onClick={() => deck.seek(ui.value.place.tick)} testid="locate" />
      {deck.plays
        ? <IconButton icon="stop" label={`Stop ${whose}`} keys="Space" pressed onClick={() => deck.stop()} testid="stop" />
        : <IconButton icon="play" label={`Play ${whose}`} keys="Space" onClick={() => deck.play()} testid="play" />}
      <Where />
      <Whom />
      <IconButton icon="metronome" label={clicking ? "Metronome is on" : "Metronome is off"} pressed={clicking} onClick={click} testid="metronome" />
      <label class="field" title="Count-in: so many bars before it plays">
        <select aria-label="Count-in" defaultValue={String(deck.countIn)} onChange={(event) => void (deck.countIn = Number(event.currentTarget.value))} data-testid="count-in">
          {COUNT_INS.map((bars) => <option key={bars} value={bars}>{bars === 0 ? "Count-in off" : `Count-in ${bars}`}</option>)}
        </select>
      </label>
      <i class="tools__rule" />
    </div>
  );
}

/** Alone, with everybody, or as one of the others plays. */
function Whom() {
  const { sound: { deck }, session, me } = useStudio();
  useChanges(session.presence);
  const leaders = new Map(session.presence.others().filter((peer) => peer.transport && peer.user.id !== me.id).map((peer) => [`user:${peer.user.id}`, peer.user.name]));
  const { stale } = deck.control.report();
  const lost = deck.following !== "local" && (!deck.control.connected || stale);
  return (
    <label class="field" title={lost ? "Sync is lost: this page goes on by itself until the connection is back." : "With whom this page plays"}>
      {lost && <span class="field__name">Sync lost</span>}
      <select aria-label="Play" value={deck.following} onChange={(event) => deck.follow(event.currentTarget.value as Following)} data-testid="following" data-state={lost ? "lost" : "in-sync"}>
        <option value="local">Alone</option>
        <option value="room">Together</option>
        {[...leaders].map(([value, name]) => <option key={value} value={value}>With {name}</option>)}
      </select>
    </label>
  );
}

/** Written straight into the page sixty times a second. */
function Where() {
  const { sound: { deck } } = useStudio();
  const { meter } = useReading();
  const output = useRef<HTMLOutputElement>(null);
  useEffect(() => {
    let frame = 0;
    const draw = (): void => {
      const { bar, beat } = meter.position(Math.max(0, deck.position + 1e-6));
      const text = deck.countsIn ? "Count-in" : `${bar}.${beat}`;
      if (output.current !== null && output.current.textContent !== text) output.current.textContent = text;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(frame);
  }, [deck, meter]);
  return <output class="transport__where" title="Where it plays: bar.beat" aria-live="off" ref={output} data-testid="playing-at" data-state={deck.followed?.state.mode ?? "unknown"} />;
}
