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

    def value(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(expression + ": " + str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def look(self, width, scheme):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                 mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def key(self, name, text=None):
        codes = {"Tab": 9, "Enter": 13, " ": 32}
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
            if folder:
                browser.picture(os.path.join(folder, name + "-" + scheme + ".png"))


def keyboard(browser):
    """All that can be worked is reached by Tab, seen when it is, and worked by Space or Enter."""
    browser.look(WIDTHS["desk"], "light")
    wanted = browser.value("document.querySelectorAll('summary,input,figure').length")
    seen = set()
    for _ in range(min(wanted, 30)):
        browser.key("Tab")
        seen.add(browser.value("[...document.querySelectorAll('summary,input,figure')]"
                               ".indexOf(document.activeElement)"))
        check(browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none",
              "keyboard: it is not seen where it stands: " + browser.value(FOCUSED))
    check(-1 not in seen and len(seen) == min(wanted, 30), "keyboard: Tab reaches %s" % sorted(seen))
    if browser.value("!!document.querySelector('#filter input')"):
        kind = browser.value("(() => { const box = document.querySelector('#filter input'); box.focus();"
                             "return box.value; })()")
        shown = "[...document.querySelectorAll('article[data-kind=\"%s\"]')].map(a => a.offsetHeight > 0)" % kind
        check(set(browser.value(shown)) == {True}, "filter: not all are shown at first")
        browser.key(" ", " ")
        check(set(browser.value(shown)) == {False}, "filter: Space does not hide " + kind)
        browser.key(" ", " ")
        check(set(browser.value(shown)) == {True}, "filter: Space does not bring back " + kind)
    if browser.value("!!document.querySelector('summary')"):
        browser.value("document.querySelector('summary').focus()")
        browser.key("Enter", "\r")
        check(browser.value("document.querySelector('details').open"), "stack: Enter does not open it")


def pictures(browser):
    """No arrow ends in nothing, no node lies on another, and all lie inside their picture."""
    overlaps = browser.value("""(() => { let n = 0; for (const svg of document.querySelectorAll('figure svg')) {
const boxes = [...svg.querySelectorAll('.node rect')].map(r => r.getBBox()); const v = svg.viewBox.baseVal;
boxes.forEach((a, i) => { if (a.x < 0 || a.y < 0 || a.x + a.width > v.width || a.y + a.height > v.height) n++;
boxes.slice(i + 1).forEach(b => { if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height &&
b.y < a.y + a.height) n++; }); }); } return n; })()""")
    check(overlaps == 0, "picture: %s nodes overlap or are cut off" % overlaps)
    check(browser.value("""[...document.querySelectorAll('[marker-end]')].every(e =>
document.getElementById(e.getAttribute('marker-end').slice(5, -1)))"""), "picture: an arrow without its head")
    check(browser.value("[...document.querySelectorAll('figure svg')].every(s => s.querySelector('title'))"),
          "picture: one has no title")


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
        silence(browser, url)
    finally:
        browser.close()
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
