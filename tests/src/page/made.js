// Elements that only somebody's text can have made: the window has none of these. The body of a
// function; it answers a list of them.
const NEVER = 'img, script, iframe, object, embed, video, audio, source, base, meta, link, form[action], math, style, '
    + 'svg script, svg foreignObject, svg animate, svg set, svg image, marquee, template, frame, applet, portal';
const faults = [];
for (const element of document.body.querySelectorAll(NEVER)) {
    if (element.matches('body > script[src="/boot.js"]')) continue;
    faults.push(`an element: ${element.outerHTML.slice(0, 120)}`);
}
for (const element of document.body.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
        if (/^on/i.test(name)) faults.push(`an attribute: ${name} on ${element.tagName}`);
        if (/^(href|src|xlink:href|formaction|action|data|poster|srcdoc)$/i.test(name)) {
            const url = value.trim().replace(/[\u0000-\u0020]/g, '').toLowerCase();
            if (/^(javascript|data|vbscript|blob|file):/.test(url)) faults.push(`an address: ${name}=${value.slice(0, 80)}`);
            if (/^(https?:)?\/\//.test(url) && !url.startsWith(location.origin)) faults.push(`leads outside: ${name}=${value.slice(0, 80)}`);
        }
        if (name === 'style' && /url\(|expression|@import/i.test(value)) faults.push(`a style: ${value.slice(0, 80)}`);
    }
}
return faults;
