// What must hold of any view's layout. The body of a function: it answers a list of sentences, one
// a fault. `arguments` are not used; the rules and their exceptions are WCAG 2.2's.
const MIN_TARGET_PX = 24;
const SLACK_PX = 1.5;
const TARGETS = 'button, a[href], input:not([type=hidden]), select, textarea, summary, [role=button], '
    + '[role=option], [role=menuitem], [role=tab], [role=checkbox], [role=switch], [role=link]';
const faults = new Set();
const style = element => getComputedStyle(element);
const open = document.querySelector('dialog[open]');
const scope = open || document.body;

function isShown(element) {
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
}
// Text for screen readers only is a box of one pixel on purpose.
function isForReaders(element) {
    for (let at = element; at && at !== document.body; at = at.parentElement) {
        const box = at.getBoundingClientRect();
        if (box.width <= 2 && box.height <= 2 && style(at).position === 'absolute') return true;
        if (at.getAttribute('aria-hidden') === 'true' && box.width <= 2) return true;
    }
    return false;
}
function name(element) {
    const classes = typeof element.className === 'string' ? element.className : '';
    const words = (element.getAttribute('aria-label') || element.textContent || '').trim();
    const dotted = classes.trim().split(/\s+/).filter(Boolean).map(word => '.' + word).join('');
    return element.tagName.toLowerCase() + dotted + ' "' + words.slice(0, 40).replace(/\s+/g, ' ') + '"';
}
function clips(value) { return value === 'hidden' || value === 'clip'; }
function scrolls(value) { return value === 'auto' || value === 'scroll'; }

// The document itself never scrolls sideways.
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth + SLACK_PX) {
    faults.add(`the page is ${root.scrollWidth}px wide in ${root.clientWidth}px`);
}

// Nothing stands outside the window, unless something around it scrolls or cuts it.
for (const element of scope.querySelectorAll('*')) {
    if (!isShown(element) || isForReaders(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.right <= root.clientWidth + SLACK_PX && box.left >= -SLACK_PX) continue;
    let held = false;
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (style(at).overflowX !== 'visible') { held = true; break; }
    }
    if (!held) faults.add(`${name(element)} stands outside the window: ${Math.round(box.left)}..${Math.round(box.right)}`);
}

// Text that is cut says the whole in a title, at the text or above it.
const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const parent = text.parentElement;
    if (!text.data.trim() || !parent || !isShown(parent) || isForReaders(parent)) continue;
    if (parent.closest('select, option, textarea, title, style, script, [aria-hidden=true]')) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    // A control's title is shown for every word in it.
    const control = parent.closest('button, a[href], [role=button], [role=option], [role=menuitem], [role=gridcell]');
    let titled = !!control && !!control.title;
    let [seenX, seenY] = [false, false];
    for (let at = parent; at && at !== document.body; at = at.parentElement) {
        titled = titled || !!at.title;
        const css = style(at);
        const edge = at.getBoundingClientRect();
        const cutX = !seenX && clips(css.overflowX) && (box.right > edge.right + SLACK_PX || box.left < edge.left - SLACK_PX);
        const cutY = !seenY && clips(css.overflowY) && (box.bottom > edge.bottom + 3 || box.top < edge.top - 3);
        if ((cutX || cutY) && !titled) {
            faults.add(`"${text.data.trim().slice(0, 50)}" is cut by ${name(at)} and has no title`);
            break;
        }
        seenX = seenX || css.overflowX !== 'visible';
        seenY = seenY || css.overflowY !== 'visible';
        if ((seenX && seenY) || css.position === 'fixed') break;
    }
}

// Targets are 24 by 24, or far enough from each other, or in a sentence (2.5.8).
function target(element) {
    const label = element.labels && element.labels[0];
    const boxes = [element.getBoundingClientRect()];
    if (label && isShown(label)) boxes.push(label.getBoundingClientRect());
    const left = Math.min(...boxes.map(box => box.left));
    const top = Math.min(...boxes.map(box => box.top));
    const right = Math.max(...boxes.map(box => box.right));
    const bottom = Math.max(...boxes.map(box => box.bottom));
    return { element, left, top, right, bottom, width: right - left, height: bottom - top };
}
function isInSentence(element) {
    if (!style(element).display.startsWith('inline') || !element.parentElement) return false;
    return [...element.parentElement.childNodes].some(node => node.nodeType === 3 && node.data.trim().length > 2);
}
function isReached(element) {
    const box = element.getBoundingClientRect();
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        const css = style(at);
        if (css.overflowX === 'visible' && css.overflowY === 'visible') continue;
        const edge = at.getBoundingClientRect();
        if (box.bottom <= edge.top || box.top >= edge.bottom || box.right <= edge.left || box.left >= edge.right) return false;
    }
    return true;
}
const targets = [...scope.querySelectorAll(TARGETS)]
    .filter(element => isShown(element) && !isForReaders(element) && isReached(element) && !element.disabled)
    .map(target);
const small = box => box.width < MIN_TARGET_PX - 0.5 || box.height < MIN_TARGET_PX - 0.5;
function near(box, other) {
    const x = (box.left + box.right) / 2;
    const y = (box.top + box.bottom) / 2;
    const reach = MIN_TARGET_PX / 2;
    if (small(other)) {
        const dx = (other.left + other.right) / 2 - x;
        const dy = (other.top + other.bottom) / 2 - y;
        return Math.hypot(dx, dy) < MIN_TARGET_PX - 0.5;
    }
    const dx = Math.max(other.left - x, 0, x - other.right);
    const dy = Math.max(other.top - y, 0, y - other.bottom);
    return Math.hypot(dx, dy) < reach - 0.5;
}
for (const box of targets.filter(small)) {
    if (isInSentence(box.element)) continue;
    const neighbour = targets.find(other => other.element !== box.element
        && !other.element.contains(box.element) && !box.element.contains(other.element) && near(box, other));
    if (neighbour) {
        faults.add(`${name(box.element)} is ${Math.round(box.width)}×${Math.round(box.height)}px and too near ${name(neighbour.element)}`);
    }
}

// What takes the focus by keyboard shows it. The caller has just pressed Tab: the page knows that
// somebody works by keyboard, so that a focus by script is one that is shown.
const ringed = ['outlineStyle', 'outlineWidth', 'outlineColor', 'boxShadow', 'backgroundColor', 'borderTopColor',
    'borderLeftColor', 'borderBottomColor', 'textDecorationLine', 'opacity'];
const look = element => {
    const css = style(element);
    return Object.fromEntries(ringed.map(property => [property, css[property]]));
};
const edges = ['boxShadow', 'borderTopColor', 'borderLeftColor', 'borderBottomColor'];
// What may frame a control: the boxes around it, as far as a field's own.
const FRAMES = 3;
function frames(element) {
    const all = [];
    for (let at = element.parentElement; at && at !== document.body && all.length < FRAMES; at = at.parentElement) all.push(at);
    return all;
}
function hasOutline(seen) {
    return seen.outlineStyle !== 'none' && parseFloat(seen.outlineWidth) >= 1
        && seen.outlineColor !== 'rgba(0, 0, 0, 0)' && seen.outlineColor !== 'transparent';
}
const held = document.activeElement;
for (const element of scope.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')) {
    if (element.tabIndex < 0 || element.disabled || !isShown(element) || isForReaders(element)) continue;
    // A dialog's only control has the focus already, by whatever means: it is given anew.
    element.blur();
    const rest = look(element);
    const around = frames(element);
    const before = around.map(look);
    element.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== element) continue;
    if (!element.matches(':focus-visible')) {
        element.blur();
        element.focus({ preventScroll: true, focusVisible: true });
    }
    // Colours may fade in: what is asked is where they end.
    for (const one of [element, ...around]) for (const animation of one.getAnimations()) animation.finish();
    const seen = look(element);
    const differs = (now, was) => edges.some(property => now[property] !== was[property]);
    const changed = differs(seen, rest);
    // Or a frame around it carries the ring, or something in it.
    const carried = around.some((frame, n) => differs(look(frame), before[n]) || (hasOutline(look(frame)) && !hasOutline(before[n])))
        || [...element.children].some(child => hasOutline(look(child)));
    if (!hasOutline(seen) && !changed && !carried) faults.add(`${name(element)} does not show the focus`);
}
if (held && held.focus) held.focus({ preventScroll: true });
return [...faults];
