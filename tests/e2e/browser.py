#!/usr/bin/env python3
"""browser.py CHROMIUM PAGE [FOLDER]: an HTML report as a reader has it: on a desk and a phone, in the dark,
with the keyboard alone, and without a network. Prints what is wrong; pictures go to FOLDER.

Chromium is asked over its DevTools pipe: JSON messages that a zero byte ends, on descriptors 3 and 4."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-extensions", "--remote-debugging-pipe", "--hide-scrollbars"]
WIDTHS = {"desk": 1280, "phone": 375}
# What WCAG 2 asks of text that is not large.
LEAST_CONTRAST = 4.5

CONTRAST = """(() => {
const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
const numbers = c => c.match(/[0-9.]+/g).map(Number);
const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = e => { for (; e; e = e.parentElement) {
  const c = numbers(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
const bad = [];
for (const e of document.querySelectorAll('h1,h2,h3,p,li,code,pre,.severity,.place,.soft,.lock,td,th,label')) {
  const style = getComputedStyle(e);
  const a = light(numbers(style.color)), b = light(behind(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < %s) bad.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
for (const t of document.querySelectorAll('svg .node text')) {
  const box = t.parentElement.querySelector('rect');
  const a = light(numbers(getComputedStyle(t).fill)), b = light(numbers(getComputedStyle(box).fill));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < %s) bad.push('svg text ' + ratio.toFixed(2));
}
return [...new Set(bad)]; })()""" % (LEAST_CONTRAST, LEAST_CONTRAST)

TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e => !e.closest('svg') && !e.closest('figure') &&
e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 5)"""

# A page of many findings is found by its lines: one of them is on the way of the Tab key, arrows lead on.
STOPS = "summary,input,select,button,a,figure"
REACHABLE = """[...document.querySelectorAll('%s')].filter(e => e.tabIndex >= 0 && e.checkVisibility())""" % STOPS
MOST_STOPS = 40

FOCUSED = """(() => { const e = document.activeElement;
return e.tagName + (e.type ? ':' + e.type : '') + (e.value ? '=' + e.value : ''); })()"""

failures = []


def check(is_right, what):
    if not is_right:
        failures.append(what)


class Browser:
    def __init__(self, program):
        self.profile = tempfile.mkdtemp()
        to_read, self.to = os.pipe()
        self.come, from_write = os.pipe()
        # The two must not stand where the child is to find the other one.
        pair = [os.dup2(to_read, 100, inheritable=False), os.dup2(from_write, 101, inheritable=False)]

        def arrange():
            os.dup2(pair[0], 3)
            os.dup2(pair[1], 4)

        self.child = subprocess.Popen([program, *FLAGS, "--user-data-dir=" + self.profile, "about:blank"],
                                      preexec_fn=arrange, close_fds=False, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        for descriptor in (to_read, from_write, *pair):
            os.close(descriptor)
        self.rest, self.count, self.session, self.events = b"", 0, None, []

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.come, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self.rest += more
        line, self.rest = self.rest.split(b"\0", 1)
        return json.loads(line)

    def ask(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(method + ": " + answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read())

    def open(self):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(domain + ".enable")

    def go(self, url):
        self.events = []
        self.ask("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def value(self, expression, wait=False):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=wait)
        if "exceptionDetails" in answer:
            raise RuntimeError(expression + ": " + str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def look(self, width, scheme):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                 mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def key(self, name, text=None):
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40}
        event = {"key": name, "windowsVirtualKeyCode": codes[name], "code": "Space" if name == " " else name}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **({**event, "text": text} if text else event))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **event)

    def picture(self, path):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        data = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))

    def close(self):
        self.session = None
        try:
            self.ask("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.child.wait(30)
        shutil.rmtree(self.profile, ignore_errors=True)


def looks(browser, folder):
    for name, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            where = name + " " + scheme
            browser.look(width, scheme)
            check(browser.value("innerWidth") == width, where + ": not shown that wide")
            check(browser.value("document.documentElement.scrollWidth <= innerWidth"),
                  where + ": scrolls sideways, by " + str(browser.value(TOO_WIDE)))
            bad = browser.value(CONTRAST)
            check(not bad, where + ": too little contrast: " + str(bad))
            light = browser.value("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0] > 127")
            check(light == (scheme == "light"), where + ": the background is not " + scheme)
            height = browser.value("document.documentElement.scrollHeight")
            lines = browser.value("document.querySelectorAll('article').length")
            check(lines < 50 or height < 240 * lines, where + ": %s px high for %s findings" % (height, lines))
            if folder:
                browser.picture(os.path.join(folder, name + "-" + scheme + ".png"))


def keyboard(browser):
    """All that can be worked is reached by Tab or an arrow, seen when it is, and worked by Space or Enter."""
    browser.look(WIDTHS["desk"], "light")
    browser.value("document.activeElement.blur(), scrollTo(0, 0)")
    wanted = browser.value(REACHABLE + ".length")
    check(wanted <= MOST_STOPS or browser.value("document.querySelectorAll('article').length") <= 3,
          "keyboard: %s stops" % wanted)
    seen = set()
    for _ in range(min(wanted, 30)):
        browser.key("Tab")
        seen.add(browser.value(REACHABLE + ".indexOf(document.activeElement)"))
        check(browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none",
              "keyboard: it is not seen where it stands: " + browser.value(FOCUSED))
    check(-1 not in seen and len(seen) == min(wanted, 30), "keyboard: Tab reaches %s of %s" % (sorted(seen), wanted))
    lines = browser.value("document.querySelectorAll('article').length")
    if lines:
        browser.value("document.querySelector('article summary').focus()")
        for i in range(1, min(lines, 10)):
            browser.key("ArrowDown")
            check(browser.value("document.activeElement.closest('article') === document.querySelectorAll('article')[%d]"
                                % i), "keyboard: the arrow does not lead to line %d" % i)
        browser.value("document.querySelectorAll('details').forEach(d => d.open = false)")
        browser.value("document.querySelector('article summary').focus()")
        browser.key("Enter", "\r")
        check(browser.value("document.querySelector('article details').open"), "contents: Enter does not open a line")


SHOWN = "[...document.querySelectorAll('article')].filter(a => a.offsetHeight > 0).length"


def filters(browser):
    """Each list and the field hide what they are asked to, and bring it back."""
    lines = browser.value("document.querySelectorAll('article').length")
    check(browser.value("!!document.querySelector('#filter')") == (lines > 1), "filter: there, or not")
    if lines < 2:
        return
    check(browser.value(SHOWN) == lines, "filter: not all are shown at first")
    for i in range(browser.value("document.querySelectorAll('#filter select').length")):
        pick = ("(() => { const list = document.querySelectorAll('#filter select')[%d];"
                "list.selectedIndex = %s; list.dispatchEvent(new Event('input', {bubbles: true}));"
                "return list.hidden ? -1 : +list.options[list.selectedIndex].text.match(/(\\d+)\\)$|$/)[1]; })()")
        if browser.value("document.querySelectorAll('#filter select')[%d].hidden" % i):
            continue
        check(browser.value("document.querySelectorAll('#filter select')[%d].options.length > 2" % i),
              "filter: list %d has nothing to choose from" % i)
        counted = browser.value(pick % (i, "list.options.length - 1"))
        check(browser.value(SHOWN) == counted, "filter: list %d shows %s, not %s" % (i, browser.value(SHOWN), counted))
        browser.value((pick % (i, "0")).replace("return", "return 0;"))
        check(browser.value(SHOWN) == lines, "filter: list %d does not bring all back" % i)
    write = ("(() => { const field = document.querySelector('#filter input'); field.value = %s;"
             "field.dispatchEvent(new Event('input', {bubbles: true})); })()")
    words = browser.value("document.querySelectorAll('article')[1].id.slice(2)")
    browser.value(write % json.dumps(words.upper()))
    check(browser.value(SHOWN) == 1, "filter: text %s shows %s" % (words, browser.value(SHOWN)))
    check(browser.value("document.querySelectorAll('article summary[tabindex=\"0\"]').length == 1 &&"
                        "document.querySelector('article summary[tabindex=\"0\"]').offsetHeight > 0"),
          "filter: the Tab key does not reach what is left")
    browser.value(write % "''")
    check(browser.value(SHOWN) == lines, "filter: text does not bring all back")


def links(browser, url):
    """A link to a finding opens it."""
    name = browser.value("(() => { const a = [...document.querySelectorAll('article')]; return a.length ? a[a.length - 1].id : '' })()")
    if not name:
        return
    browser.value("document.querySelectorAll('article details').forEach(d => d.open = false)")
    browser.value("location.hash = '#%s'" % name)
    browser.value("new Promise(done => setTimeout(done, 50))", wait=True)
    check(browser.value("document.getElementById('%s').querySelector('details').open" % name), "link: it opens nothing")
    top = browser.value("document.getElementById('%s').getBoundingClientRect().top" % name)
    check(0 <= top < 900, "link: the finding is out of sight, at %s" % top)


def pictures(browser):
    """No arrow ends in nothing or runs through a stranger, no node lies on another, words fit, and all lie inside
    their picture."""
    browser.look(WIDTHS["desk"], "light")
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    overlaps = browser.value("""(() => { let n = 0; for (const svg of document.querySelectorAll('figure svg')) {
const boxes = [...svg.querySelectorAll('.node rect')].map(r => r.getBBox()); const v = svg.viewBox.baseVal;
boxes.forEach((a, i) => { if (a.x < 0 || a.y < 0 || a.x + a.width > v.width || a.y + a.height > v.height) n++;
boxes.slice(i + 1).forEach(b => { if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height &&
b.y < a.y + a.height) n++; }); }); } return n; })()""")
    check(overlaps == 0, "picture: %s nodes overlap or are cut off" % overlaps)
    wide = browser.value("""[...document.querySelectorAll('figure svg .node')].filter(g => [...g.querySelectorAll('text')]
.some(t => t.getComputedTextLength() > g.querySelector('rect').getBBox().width - 4)).map(g => g.textContent)""")
    check(not wide, "picture: words do not fit: " + str(wide)[:300])
    strangers = browser.value("""(() => { const bad = []; for (const svg of document.querySelectorAll('figure svg')) {
const boxes = [...svg.querySelectorAll('.node rect')].map(r => r.getBBox());
const near = (b, p, d) => p.x > b.x - d && p.x < b.x + b.width + d && p.y > b.y - d && p.y < b.y + b.height + d;
for (const path of svg.querySelectorAll('.edge path')) { const length = path.getTotalLength();
const ends = [path.getPointAtLength(0), path.getPointAtLength(length)];
for (let i = 0; i <= 60; i++) { const p = path.getPointAtLength(length * i / 60);
if (boxes.some(b => near(b, p, -1) && !ends.some(e => near(b, e, 12)))) { bad.push(svg.querySelector('title').textContent); break; } } } }
return bad; })()""")
    check(not strangers, "picture: %s lines run through strangers" % len(strangers))
    check(browser.value("""[...document.querySelectorAll('[marker-end]')].every(e =>
document.getElementById(e.getAttribute('marker-end').slice(5, -1)))"""), "picture: an arrow without its head")
    check(browser.value("[...document.querySelectorAll('figure svg')].every(s => s.querySelector('title'))"),
          "picture: one has no title")
    browser.value("document.querySelectorAll('details').forEach(d => d.open = false)")


def paper(browser):
    """On paper all that is shown stands open, nothing is cut off, and nothing is left but the report."""
    browser.ask("Emulation.setDeviceMetricsOverride", width=700, height=900, deviceScaleFactor=1, mobile=False)
    browser.ask("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    # The page hears of both a while later.
    browser.value("new Promise(done => { let n = 0; const look = () => (innerWidth === 700 && matchMedia('print').matches) "
                  "|| n++ > 1000 ? requestAnimationFrame(() => done(true)) : setTimeout(look, 10); look(); })", wait=True)
    browser.value("dispatchEvent(new Event('beforeprint'))")
    lines = browser.value("document.querySelectorAll('article').length")
    if lines <= 50:
        check(browser.value("document.querySelectorAll('article>details:not([open])').length") == 0, "paper: some are folded")
    check(browser.value("[...document.querySelectorAll('figure svg')].every(s => s.getBoundingClientRect().right <= innerWidth + 1)"),
          "paper: a picture is cut off")
    check(browser.value("!document.querySelector('#filter') || document.querySelector('#filter').offsetHeight === 0"),
          "paper: the filter is printed")
    check(browser.value("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'"), "paper: it is not white")
    browser.ask("Emulation.setEmulatedMedia", media="", features=[])


def silence(browser, url):
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]
    check(asked == [url], "network: it asks for " + str(asked))
    said = [event for event in browser.events
            if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")]
    check(not said, "console: " + str(said)[:300])


def main():
    program, page, folder = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None
    url = "file://" + page
    browser = Browser(program)
    try:
        browser.open()
        browser.go(url)
        looks(browser, folder)
        pictures(browser)
        keyboard(browser)
        filters(browser)
        silence(browser, url)
        links(browser, url)
        paper(browser)
    finally:
        browser.close()
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
