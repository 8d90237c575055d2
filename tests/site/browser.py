"""A real browser for tests of pages: headless Chromium, driven over a pipe.

Speaks the DevTools protocol, so that nothing but Python and Chromium is needed.
"""

import base64
import json
import os
import shutil
import subprocess
import time

failures = []


def check(ok, what):
    print(("ok   " if ok else "FAIL ") + what)
    if not ok:
        failures.append(what)


def chromium():
    """Its path; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """Headless Chromium on a pipe: commands out, answers and events in, each ended by a NUL."""

    def __init__(self, program, profile):
        to_read, self.out = os.pipe()
        self.inn, to_write = os.pipe()

        def place_pipes():  # the browser reads descriptor 3 and writes 4
            spare = [os.dup(to_read), os.dup(to_write)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--disable-dev-shm-usage", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place_pipes, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.last, self.buffer, self.events = 0, b"", []
        target = next(t for t in self.call("Target.getTargets")["targetInfos"]
                      if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"],
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.page(domain + ".enable")

    def receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.inn, 1 << 16)
            if not chunk:
                raise RuntimeError("the browser has ended")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def page(self, method, **params):
        return self.call(method, self.session, **params)

    def run(self, script):
        result = self.page("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description", script))
        return result["result"].get("value")

    def open(self, url):
        self.page("Page.navigate", url=url)
        self.wait_for(f"location.href.startsWith({json.dumps(url)})"
                      " && document.readyState === 'complete'")

    def wait_for(self, script):
        for _ in range(200):
            try:
                if self.run(script):
                    return
            except RuntimeError:
                pass  # between two pages
            time.sleep(0.05)
        raise RuntimeError("waited in vain for " + script)

    def click(self, selector):
        at = self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
                      "e.scrollIntoView({block: 'center'});"
                      "const r = e.getBoundingClientRect();"
                      "return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.page("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left",
                      clickCount=1)

    def press(self, key, code):
        text = {"text": "\r"} if key == "Enter" else {}
        self.page("Input.dispatchKeyEvent", type="keyDown", key=key, code=key,
                  windowsVirtualKeyCode=code, **text)
        self.page("Input.dispatchKeyEvent", type="keyUp", key=key, code=key,
                  windowsVirtualKeyCode=code)

    def picture(self, path, width=1100):
        """The whole page as a PNG."""
        tall = self.run("document.documentElement.scrollHeight")
        shot = self.page("Page.captureScreenshot", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": width, "height": tall, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def close(self):
        try:
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.process.wait(timeout=20)


def check_alone(browser, is_own):
    """What was opened asked for nothing but its own files, by address, and had nothing to complain of."""
    asked = {event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"}
    foreign = [url for url in asked if not is_own(url)]
    check(asked and not foreign, f"nothing is asked for but its own files {foreign[:3]}")
    complaints = [event["params"] for event in browser.events
                  if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    check(not complaints, f"the console is silent {complaints[:1]}")
