// Chips that change their node glide from the old box to the new one (first-last-invert-play); those around them make room.
// Who asked for less motion sees the chip light up at its new place instead.
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export function watchMap(map) {
  let known = read(map);
  const changed = new MutationObserver(changes => {
    const chips = changes.some(c => [...c.addedNodes, ...c.removedNodes].some(n => n.nodeType === 1));
    if (!chips) return;
    const now = read(map);
    const near = now.size <= 400;   // beyond that only the movers are animated
    for (const [id, place] of now) {
      const was = known.get(id);
      if (!was) { place.chip.animate([{ opacity: 0, transform: 'scale(.8)' }, { opacity: 1, transform: 'none' }], { duration: calm.matches ? 0 : 250 }); continue; }
      const [dx, dy] = [was.x - place.x, was.y - place.y];
      if (was.node !== place.node) move(place.chip, dx, dy);
      else if (near && !calm.matches && (Math.abs(dx) > 2 || Math.abs(dy) > 2)) slide(place.chip, dx, dy, 300);
    }
    known = now;
  });
  changed.observe(map, { childList: true, subtree: true });
  const resized = new ResizeObserver(() => { if (!map.isConnected) { changed.disconnect(); resized.disconnect(); return; } known = read(map); });
  resized.observe(map);
}

function read(map) {
  const places = new Map();
  for (const chip of map.querySelectorAll('[data-flip]')) {
    const box = chip.getBoundingClientRect();
    places.set(chip.dataset.flip, { chip, node: chip.dataset.node, x: box.left + scrollX, y: box.top + scrollY });
  }
  return places;
}

const slide = (chip, dx, dy, duration) => chip.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: 'none' }], { duration, easing: 'cubic-bezier(.2, .8, .2, 1)' });

function move(chip, dx, dy) {
  chip.classList.add('chip-moved');
  setTimeout(() => chip.classList.remove('chip-moved'), 2500);
  if (!calm.matches) slide(chip, dx, dy, 900);
}
