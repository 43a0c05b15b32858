// Takes the times inside the page. The body of a function, run once a page.
if (window.__probe) return true;
const probe = { keys: [], opened: [], typed: [], seen: [], rows: 0, waiting: null };
window.__probe = probe;
// The first frame paints what a key led to, the second begins after that paint.
const painted = then => requestAnimationFrame(() => requestAnimationFrame(() => then(performance.now())));
const isReading = () => !!document.querySelector('.grid[aria-busy=true]');
const count = () => { probe.rows = Math.max(probe.rows, document.querySelectorAll('[role=row]').length); };

addEventListener('keydown', event => {
    const began = performance.now();
    const inBox = event.target.matches && event.target.matches('input');
    painted(now => {
        probe.keys.push([inBox ? 'typed' : event.key, now - began]);
        count();
    });
    if (inBox && event.key.length === 1) settled(began);
    if (event.key === 'Enter' && !inBox) opened(began);
}, true);

// A letter in the box: until the list has been read anew for it and painted.
let letter = 0;
function settled(began) {
    const mine = ++letter;
    let wasReading = false;
    const look = () => {
        if (mine !== letter) return;
        if (isReading()) { wasReading = true; requestAnimationFrame(look); return; }
        if (!wasReading && performance.now() - began < 400) { requestAnimationFrame(look); return; }
        if (wasReading) painted(now => probe.typed.push(now - began));
        else probe.typed.push(null);
    };
    requestAnimationFrame(look);
}

// Enter on a row: until the alert's page has its sections.
function opened(began) {
    const look = () => {
        if (document.querySelector('.detail__sections')) {
            painted(now => probe.opened.push(now - began));
        } else if (performance.now() - began < 5000) {
            requestAnimationFrame(look);
        } else {
            probe.opened.push(null);
        }
    };
    requestAnimationFrame(look);
}

// Waits until the row of an alert says a word; the moment is the wall clock's, which the sender of
// the change shares.
probe.await = (alert, word) => {
    const look = () => {
        const row = document.getElementById(`row-${alert}`);
        const said = row && `${row.getAttribute('aria-label')} ${row.textContent}`;
        if (said && said.includes(word)) {
            observer.disconnect();
            painted(now => probe.seen.push(performance.timeOrigin + now));
        }
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    look();
};

// Scrolls the list evenly, a step a frame; the times between frames.
probe.scroll = (frames, step, done) => {
    let grid = document.querySelector('.grid');
    while (grid && grid.scrollHeight <= grid.clientHeight + 1) grid = grid.parentElement;
    if (!grid) { done(null); return; }
    const times = [];
    // A window that paints slowly is given up after a while; what it did paint is the figure.
    const end = performance.now() + 15000;
    let last = null;
    const next = now => {
        if (last !== null) times.push(now - last);
        last = now;
        grid.scrollTop += step;
        count();
        if (times.length < frames && now < end) requestAnimationFrame(next); else done(times);
    };
    requestAnimationFrame(next);
};
return true;
