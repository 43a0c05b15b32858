//! Fifty ways to make a page run text, or fetch something.
//!
//! `SINK` stands for an address that must never be asked. Whatever runs sets or reads `__hit`,
//! calls a dialog, or asks the sink.

/// The payloads.
pub(crate) const PAYLOADS: [&str; 50] = [
    "<script>__hit=1</script>",
    "<script src=SINK></script>",
    "<img src=x onerror=__hit=1>",
    "<img src=SINK>",
    "<img/src=`x`onerror=__hit=1//",
    "<svg onload=__hit=1>",
    "<svg><script>__hit=1</script></svg>",
    "<svg><animate onbegin=__hit=1 attributeName=x dur=1s>",
    "<svg><image href=SINK onload=__hit=1>",
    "<svg><a xlink:href=\"javascript:__hit=1\"><text>x</text></a></svg>",
    "<svg><foreignObject><iframe src=\"javascript:__hit=1\"></iframe></foreignObject></svg>",
    "<iframe srcdoc=\"<script>parent.__hit=1</script>\"></iframe>",
    "<iframe src=\"javascript:parent.__hit=1\"></iframe>",
    "<iframe src=SINK></iframe>",
    "<object data=\"javascript:__hit=1\"></object>",
    "<object data=SINK></object>",
    "<embed src=SINK>",
    "<body onload=__hit=1>",
    "<input autofocus onfocus=__hit=1>",
    "<select autofocus onfocus=__hit=1></select>",
    "<textarea autofocus onfocus=__hit=1></textarea>",
    "<details open ontoggle=__hit=1>x</details>",
    "<video><source onerror=__hit=1></video>",
    "<video poster=SINK></video>",
    "<audio src=x onerror=__hit=1></audio>",
    "<marquee onstart=__hit=1>x</marquee>",
    "<style>@import 'SINK';</style>",
    "<link rel=stylesheet href=SINK>",
    "<div style=\"background:url(SINK)\">x</div>",
    "<base href=SINK>",
    "<meta http-equiv=refresh content=\"0;url=SINK\">",
    "<form action=\"javascript:__hit=1\"><button>x</button></form>",
    "<form action=SINK><input type=submit formaction=SINK></form>",
    "<math><mtext><img src=x onerror=__hit=1></mtext></math>",
    "<math href=\"javascript:__hit=1\">x</math>",
    "<a href=\"javascript:__hit=1\">x</a>",
    "<a href=\"JaVaScRiPt&colon;__hit=1\">x</a>",
    "<a href=\"data:text/html,<script>opener.__hit=1</script>\">x</a>",
    "<a href=SINK ping=SINK>x</a>",
    "javascript:__hit=1//SINK",
    "data:text/html;base64,PHNjcmlwdD5fX2hpdD0xPC9zY3JpcHQ+",
    "\"><img src=x onerror=__hit=1>",
    "' autofocus onfocus='__hit=1",
    "</title></textarea></style><script>__hit=1</script>",
    "<!--><script>__hit=1</script>-->",
    "]]><script>__hit=1</script>",
    "[x](javascript:__hit=1) ![x](SINK) <SINK>",
    "{{constructor.constructor('__hit=1')()}} ${__hit=1} #{__hit=1} <%= __hit=1 %>",
    "<noscript><p title=\"</noscript><img src=x onerror=__hit=1>\"></noscript>",
    "\u{202e}<im\u{0}g src=x onerror=alert(1)>\u{feff}<script>alert`1`</script>",
];

/// A payload with the sink's address in it.
pub(crate) fn with_sink(payload: &str, sink: &str) -> String {
    // A NUL is refused at the door, so it never comes to a page.
    payload.replace("SINK", sink).replace('\0', "")
}
