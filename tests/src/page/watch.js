// Records what hostile text must never lead to. The body of a function, run before the text is there.
if (window.__watch) return true;
const seen = [];
window.__watch = seen;
for (const kind of ['alert', 'confirm', 'prompt', 'print', 'open']) {
    window[kind] = (...words) => { seen.push(`${kind}(${words.join(', ')})`); return null; };
}
let hits = 0;
Object.defineProperty(window, '__hit', {
    configurable: true,
    get() { hits += 1; seen.push(`__hit was read by a script (${hits})`); return hits; },
    set(value) { seen.push(`__hit was set to ${value}`); },
});
document.addEventListener('securitypolicyviolation', event =>
    seen.push(`policy: ${event.effectiveDirective} ${event.blockedURI}`));
const own = location.origin;
const foreign = entry => {
    try { return new URL(entry.name, own).origin !== own; } catch { return true; }
};
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (foreign(entry)) seen.push(`requested ${entry.name}`);
}).observe({ type: 'resource', buffered: true });
return true;
