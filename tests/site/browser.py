# SPDX-License-Identifier: Apache-2.0
"""The site in a real browser, opened from the disk: python3 tests/site/browser.py FOLDER [PICTURES]

Every page opens without a complaint on the console and loads nothing from elsewhere; every link
leads to a file and to a place in it; filters filter, with the script and without; the notes switch
their language; dark and narrow screens and print keep everything readable. With PICTURES, a folder
gets a picture of each look of each page, for eyes."""

import base64
import json
import pathlib
import sys
import unittest
import urllib.parse

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

FOLDER = pathlib.Path(sys.argv[1]).resolve()
PICTURES = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
PAGES = sorted(FOLDER.rglob("*.html"))
REPORTS = sorted(FOLDER.glob("report/*.html"))
NARROW = 390
PICTURE_HEIGHT = 12000


def start(script=True):
    options = Options()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--allow-file-access-from-files", "--hide-scrollbars"):
        options.add_argument(flag)
    if not script:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def colour(text):
    """rgb() or rgba() as numbers from 0 to 1."""
    return [float(part) / 255 for part in text[text.index("(") + 1:-1].split(",")[:3]]


def luminance(rgb):
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(colour(one)), luminance(colour(other))))
    return (high + 0.05) / (low + 0.05)


class Browser(unittest.TestCase):
    script = True

    @classmethod
    def setUpClass(cls):
        cls.chrome = start(cls.script)

    @classmethod
    def tearDownClass(cls):
        cls.chrome.quit()

    def look(self, dark=False, width=1280):
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == NARROW})

    def open(self, page, place=""):
        self.chrome.get("about:blank")       # so that a new place is a new page
        self.chrome.get(page.as_uri() + place)

    def all(self, selector):
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def ask(self, script, *arguments):
        return self.chrome.execute_script("return " + script, *arguments)

    def shown(self, selector):
        return self.ask("[...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
                        ".map(e => ({text: e.innerText, names: [...e.classList]}))", selector)

    def verdicts_shown(self):
        return {e["names"][-1] for e in self.shown(".claims td > .verdict")}

    def picture(self, page, look):
        if PICTURES:
            PICTURES.mkdir(parents=True, exist_ok=True)
            size = self.ask("({width: innerWidth, height: document.body.scrollHeight})")
            answer = self.chrome.execute_cdp_cmd("Page.captureScreenshot", {
                "format": "png", "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": size["width"], "scale": 1,
                         "height": min(size["height"], PICTURE_HEIGHT)}})
            name = "-".join(page.relative_to(FOLDER).with_suffix("").parts)
            (PICTURES / f"{name}-{look}.png").write_bytes(base64.b64decode(answer["data"]))


class Everywhere(Browser):
    def test_nothing_is_complained_of_and_nothing_loaded_from_elsewhere(self):
        for page in PAGES:
            self.chrome.get_log("browser"), self.chrome.get_log("performance")
            self.open(page)
            self.assertEqual([], self.chrome.get_log("browser"), page)
            asked = [json.loads(entry["message"])["message"]
                     for entry in self.chrome.get_log("performance")]
            urls = [m["params"]["request"]["url"] for m in asked
                    if m["method"] == "Network.requestWillBeSent"]
            self.assertEqual([], [u for u in urls if not u.startswith(("file:", "data:", "about:"))],
                             page)

    def test_every_link_and_picture_resolves(self):
        places = {}
        for page in PAGES:
            self.open(page)
            places[page] = set(self.ask(
                "[...document.querySelectorAll('[id]')].map(e => e.id)"))
        for page in PAGES:
            self.open(page)
            targets = self.ask(
                "[...document.querySelectorAll('a[href]')].map(a => a.href)")
            self.assertTrue(targets, page)
            for target in targets:
                url = urllib.parse.urlsplit(target)
                if url.scheme != "file":
                    self.assertEqual("https", url.scheme, f"{page}: {target}")
                    continue
                path = pathlib.Path(urllib.parse.unquote(url.path))
                self.assertTrue(path.is_file(), f"{page}: {target}")
                if url.fragment:
                    self.assertIn(urllib.parse.unquote(url.fragment), places[path], f"{page}: {target}")
            broken = self.ask(
                "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)")
            self.assertEqual([], broken, page)

    def test_ids_are_unique(self):
        for page in PAGES:
            self.open(page)
            ids = self.ask("[...document.querySelectorAll('[id]')].map(e => e.id)")
            self.assertEqual(sorted(set(ids)), sorted(ids), page)

    def test_every_look_is_readable(self):
        for page in PAGES:
            for dark in (False, True):
                for width in (1280, NARROW):
                    self.look(dark, width)
                    self.open(page)
                    look = f"{'dark' if dark else 'light'}-{width}"
                    self.picture(page, look)
                    wide = self.ask(
                        "document.documentElement.scrollWidth - innerWidth")
                    self.assertLessEqual(wide, 0, f"{page} {look}: scrolls sideways")
                    paper = self.one("body").value_of_css_property("background-color")
                    self.assertEqual(dark, luminance(colour(paper)) < 0.5, f"{page} {look}")
                    for text in ["body", "footer", "a", ".verdict.reproduced", ".verdict.contradicted",
                                 ".verdict.not-testable", "small"]:
                        for element in self.all(text)[:1]:
                            ink = element.value_of_css_property("color")
                            self.assertGreaterEqual(contrast(ink, paper), 4.5, f"{page} {look} {text}")
        self.look()

    def test_prints(self):
        for page in PAGES:
            self.open(page)
            pdf = base64.b64decode(self.chrome.execute_cdp_cmd(
                "Page.printToPDF", {"preferCSSPageSize": True})["data"])
            self.assertTrue(pdf.startswith(b"%PDF"))
            if PICTURES:
                name = "-".join(page.relative_to(FOLDER).with_suffix("").parts)
                (PICTURES / f"{name}.pdf").write_bytes(pdf)


class Reports(Browser):
    def test_filters_combine_and_the_address_tells_them(self):
        for report in REPORTS:
            self.open(report)
            rows = len(self.shown(".claims tbody tr"))
            self.one('[id="verdict=not-testable"]').click()
            few = len(self.shown(".claims tbody tr"))
            self.assertTrue(0 < few < rows)
            self.assertEqual({"not-testable"}, self.verdicts_shown())
            self.assertIn("#verdict=not-testable", self.chrome.current_url)
            self.one('[id="kind=time"]').click()
            both = len(self.shown(".claims tbody tr"))
            self.assertTrue(0 < both < few)
            self.assertIn(f"{both} of {rows}", self.one(".filters output").text)
            self.assertEqual(2, len(self.shown(".filters [aria-current=true]")))
            address = self.chrome.current_url
            self.open(report, "#" + urllib.parse.urlsplit(address).fragment)
            self.assertEqual(both, len(self.shown(".claims tbody tr")))
            self.one('[id="verdict=not-testable"]').click()       # once more: off
            self.assertNotIn("verdict", self.chrome.current_url)
            self.chrome.back()
            self.assertEqual(both, len(self.shown(".claims tbody tr")))
            self.one('[id="verdict=all"]').click()
            self.assertEqual(rows, len(self.shown(".claims tbody tr")))

    def test_search(self):
        for report in REPORTS:
            self.open(report)
            rows = self.shown(".claims tbody tr")
            name = self.one(".claims tbody tr:last-child td:nth-child(2) a").text
            self.one(".filters input").send_keys(name)
            left = self.shown(".claims tbody tr")
            self.assertTrue(0 < len(left) < len(rows))
            self.assertTrue(all(name in row["text"] for row in left))

    def test_language_switches(self):
        for report in REPORTS:
            self.open(report)
            english, chinese = self.one("section[lang=en]"), self.one("section[lang=zh]")
            self.assertTrue(english.is_displayed() and not chinese.is_displayed())
            self.one(".languages [lang=zh]").click()
            self.assertTrue(chinese.is_displayed() and not english.is_displayed())
            self.one(".languages [lang=en]").click()
            self.assertTrue(english.is_displayed() and not chinese.is_displayed())
            self.assertEqual(["English"], [e["text"] for e in self.shown(".languages [aria-current=true]")])
            place = chinese.find_elements(By.CSS_SELECTOR, "h3")[-1].get_attribute("id")
            self.open(report, "#" + urllib.parse.quote(place))
            self.assertTrue(self.one("section[lang=zh]").is_displayed())
            self.assertEqual(["中文"], [e["text"] for e in self.shown(".languages [aria-current=true]")])

    def test_equations_take_place(self):
        for report in REPORTS:
            self.open(report)
            sizes = self.ask("[...document.querySelectorAll('section[lang=en] math')]"
                             ".map(m => m.getBoundingClientRect()).map(r => r.width * r.height)")
            self.assertTrue(sizes and all(sizes))
            fonts = self.ask("[...document.querySelectorAll('.notes math')]"
                             ".map(m => getComputedStyle(m).fontFamily)")
            self.assertEqual({"math"}, set(fonts))

    def test_a_table_stands_beside_each_figure(self):
        for report in REPORTS:
            self.open(report)
            figures = self.all('main p > a > img[src*="figures/"]')
            tables = [s for s in self.all("details > summary") if s.text == "the same as a table"]
            self.assertEqual(len(figures), len(tables))
            for summary in tables[:1]:
                summary.click()
                self.assertTrue(summary.find_element(By.XPATH, "..//table").is_displayed())


class FrontPage(Browser):
    def test_filters(self):
        self.open(FOLDER / "index.html")
        claims = len(self.shown(".matrix .claim"))
        self.one('[id="verdict=not-testable"]').click()
        left = self.shown(".matrix .claim")
        self.assertTrue(0 < len(left) < claims)
        self.assertTrue(all("not-testable" in claim["names"] for claim in left))
        self.assertEqual(1, len(self.shown(".matrix tbody tr")) // len(REPORTS))

    def test_each_claim_leads_to_its_place(self):
        self.open(FOLDER / "index.html")
        claim = self.one(".matrix .claim a")
        name = claim.text
        claim.click()
        self.assertEqual(name, self.one(":target").text)


class WithoutScript(Browser):
    script = False

    def test_filters_are_plain_links(self):
        for report in REPORTS:
            self.open(report)
            self.assertEqual([], self.all(".filters input"), "scripts run")
            rows = len(self.shown(".claims tbody tr"))
            self.one('[id="verdict=not-testable"]').click()
            self.assertTrue(0 < len(self.shown(".claims tbody tr")) < rows)
            self.assertEqual({"not-testable"}, self.verdicts_shown())
            self.one('[id="verdict=all"]').click()
            self.assertEqual(rows, len(self.shown(".claims tbody tr")))

    def test_language_switches(self):
        for report in REPORTS:
            self.open(report)
            self.one(".languages [lang=zh]").click()
            self.assertTrue(self.one("section[lang=zh]").is_displayed())
            self.assertFalse(self.one("section[lang=en]").is_displayed())
            self.one(".languages [lang=en]").click()
            self.assertFalse(self.one("section[lang=zh]").is_displayed())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
