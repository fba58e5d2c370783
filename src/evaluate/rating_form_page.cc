// The rating form's page: markup, style and script. Items and words travel as JSON and reach the page as text nodes.
#include <openssl/evp.h>

#include "base/str.h"
#include "evaluate/rating_form.h"

namespace atelier::evaluate {
namespace {

constexpr std::string_view kStyle = R"(
:root{--ink:#222;--soft:#666;--line:#ddd;--back:#fff;--accent:#3b6ea5;--mark:#dbe6f1}
@media(prefers-color-scheme:dark){:root{--ink:#ddd;--soft:#999;--line:#333;--back:#161616;--accent:#6fa3da;--mark:#2b4a6b}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:46em;
padding:1em;color:var(--ink);background:var(--back)}
h1{font-size:1.4em;margin:.2em 0}p{margin:.4em 0}.soft{color:var(--soft)}.bad{color:#b5483a}
progress{width:100%;height:.6em;accent-color:var(--accent)}
dl{border:1px solid var(--line);border-radius:8px;padding:.6em 1em;margin:1em 0}
dt{color:var(--soft);font-size:.85em;margin-top:.5em}
dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}dd ul{margin:0;padding-inline-start:1.2em}
bdi{unicode-bidi:isolate}
fieldset{border:1px solid var(--line);border-radius:8px;margin:.8em 0;padding:.4em 1em .8em}
fieldset:focus-within{border-color:var(--accent)}legend{font-weight:600;padding:0 .3em}
.scale{display:flex;flex-wrap:wrap;gap:.4em;align-items:center}
.scale label{border:1px solid var(--line);border-radius:6px;padding:.25em .8em;cursor:pointer}
.scale label:has(:checked){background:var(--mark);border-color:var(--accent)}
.scale input{accent-color:var(--accent);margin:0 .4em 0 0}
textarea,input[type=text]{width:100%;font:inherit;color:inherit;background:inherit;border:1px solid var(--line);
border-radius:6px;padding:.4em}
button{font:inherit;padding:.4em 1em;border:1px solid var(--line);border-radius:6px;background:var(--mark);color:inherit;
cursor:pointer}button:disabled{opacity:.4;cursor:default}
nav{display:flex;gap:.6em;flex-wrap:wrap;margin:1em 0}nav .grow{flex:1}kbd{border:1px solid var(--line);padding:0 .3em;border-radius:4px}
[hidden]{display:none}
)";

constexpr std::string_view kScript = R"JS(
"use strict";
(function () {
  const form = JSON.parse(document.getElementById("form").textContent);
  const words = JSON.parse(document.getElementById("words").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (tag, text) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; return e; };
  // Ids and names come from outside and may be "__proto__": no prototypes.
  const table = (from) => Object.assign(Object.create(null), from);
  const names = table(form.names);
  let rater = "", order = [], at = 0, ratings = table(), changed = false, kept = true;

  // The same order for the same seed and rater: FNV-1a over both starts mulberry32, which shuffles.
  function shuffled(count, name) {
    let state = 2166136261;
    for (const byte of new TextEncoder().encode(form.seed + "\n" + name)) state = Math.imul(state ^ byte, 16777619);
    const next = () => {
      state = (state + 0x6D2B79F5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const out = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; --i) { const j = Math.floor(next() * (i + 1)); [out[i], out[j]] = [out[j], out[i]]; }
    return out;
  }

  const key = () => "atelier-form:" + form.hash + ":" + rater;
  function keep() {
    changed = true;
    try { localStorage.setItem(key(), JSON.stringify(ratings)); } catch (e) { kept = false; }
    $("unkept").hidden = kept;
  }
  function remembered() {
    try {
      const old = table(JSON.parse(localStorage.getItem(key()) || "{}"));
      for (const id in old) old[id] = { values: table(old[id].values), comment: String(old[id].comment) };
      return old;
    } catch (e) { kept = false; return table(); }
  }

  const item = () => form.items[order[at]];
  const of = (id) => ratings[id] || (ratings[id] = { values: table(), comment: "" });
  const done = (id) => ratings[id] && form.criteria.every((c) => c.name in ratings[id].values);
  const count = () => form.items.filter((i) => done(i.id)).length;

  function field(list, name, value) {
    list.append(make("dt", name));
    const dd = make("dd");
    if (Array.isArray(value)) {
      const ul = make("ul");
      for (const one of value) { const li = make("li"), b = make("bdi", one); b.dir = "auto"; li.append(b); ul.append(li); }
      dd.append(ul);
    } else {
      const b = make("bdi", value); b.dir = "auto"; dd.append(b);
    }
    list.append(dd);
  }

  function progress() {
    const n = count();
    $("bar").max = form.items.length; $("bar").value = n;
    $("count").textContent = words.count.replace("{done}", n).replace("{all}", form.items.length).replace("{at}", at + 1);
    $("finished").hidden = n < form.items.length;
    document.title = n + "/" + form.items.length + " " + words.title;
  }

  function show() {
    const one = item(), mine = of(one.id), list = $("fields");
    list.replaceChildren();
    for (const [name, value] of Object.entries(one.fields)) field(list, names[name] || name, value);
    if (one.system !== undefined) field(list, words.system, one.system);
    const box = $("criteria");
    box.replaceChildren();
    form.criteria.forEach((criterion, c) => {
      const set = make("fieldset"), scale = make("div");
      set.append(make("legend", criterion.label || criterion.name));
      if (criterion.description) { const p = make("p", criterion.description); p.className = "soft"; set.append(p); }
      scale.className = "scale";
      if (criterion.low) scale.append(make("span", criterion.low));
      criterion.answers.forEach((answer) => {
        const label = make("label"), radio = make("input");
        radio.type = "radio"; radio.name = "c" + c; radio.value = answer; radio.checked = mine.values[criterion.name] === answer;
        radio.addEventListener("change", () => { of(one.id).values[criterion.name] = answer; keep(); progress(); });
        label.append(radio, answer);
        scale.append(label);
      });
      if (criterion.high) scale.append(make("span", criterion.high));
      set.append(scale);
      box.append(set);
    });
    $("comment").value = mine.comment;
    $("back").disabled = at === 0;
    $("next").disabled = at + 1 === form.items.length;
    progress();
  }

  function go(to) {
    if (to < 0 || to >= form.items.length) return;
    at = to; show(); window.scrollTo(0, 0);
    document.activeElement && document.activeElement.blur();
  }

  // The criterion that a digit answers: the one with the focus, else the first without an answer.
  function current() {
    const sets = [...$("criteria").children], focused = sets.findIndex((s) => s.contains(document.activeElement));
    if (focused >= 0) return focused;
    const open = form.criteria.findIndex((c) => !(c.name in of(item().id).values));
    return open >= 0 ? open : -1;
  }
  document.addEventListener("keydown", (e) => {
    if ($("work").hidden || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target.id === "comment" || e.target.type === "text") { if (e.key === "Escape") e.target.blur(); return; }
    if (e.key === "j" || (e.key === "Enter" && e.target.tagName !== "BUTTON")) { go(at + 1); e.preventDefault(); }
    else if (e.key === "k") { go(at - 1); e.preventDefault(); }
    else if (e.key === "c") { $("comment").focus(); e.preventDefault(); }
    else if (/^[0-9]$/.test(e.key)) {
      const c = current();
      if (c < 0) return;
      const answers = form.criteria[c].answers, numbers = answers.every((a) => /^-?[0-9]+$/.test(a));
      const wanted = numbers ? answers.indexOf(e.key) : Number(e.key) - 1;
      const radio = wanted < 0 ? null : $("criteria").children[c].querySelectorAll("input")[wanted];
      if (!radio) return;
      radio.click();
      const next = $("criteria").children[c + 1];
      if (next) (next.querySelector("input:checked") || next.querySelector("input")).focus(); else radio.focus();
      e.preventDefault();
    }
  });

  function rows() {
    const out = [];
    for (const one of form.items) {
      const mine = ratings[one.id];
      if (!mine) continue;
      const base = { form: form.hash, rater: rater, item: one.id };
      const given = form.criteria.filter((c) => c.name in mine.values);
      for (const c of given) out.push({ ...base, criterion: c.name, value: mine.values[c.name], comment: mine.comment });
      if (given.length === 0 && mine.comment !== "") out.push({ ...base, criterion: "", value: "", comment: mine.comment });
    }
    return out;
  }
  function download(name, type, text) {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    document.body.append(link); link.click(); link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    changed = false;
  }
  const file = (end) => "ratings-" + rater.replace(/[^\p{L}\p{N}_-]+/gu, "_") + "-" + form.hash.slice(0, 8) + end;
  // An apostrophe before what a spreadsheet would take for a formula; who reads it takes it off again.
  const guarded = (text) => (/^['=+\-@\t\r]/.test(text) ? "'" + text : text);
  const cell = (text) => '"' + guarded(String(text)).replace(/"/g, '""') + '"';
  const columns = ["form", "rater", "item", "criterion", "value", "comment"];
  $("csv").addEventListener("click", () => download(file(".csv"), "text/csv",
    "\ufeff" + [columns.join(","), ...rows().map((r) => columns.map((c) => cell(r[c])).join(","))].join("\r\n") + "\r\n"));
  $("jsonl").addEventListener("click", () => download(file(".jsonl"), "application/jsonl",
    rows().map((r) => JSON.stringify(r) + "\n").join("")));
  $("back").addEventListener("click", () => go(at - 1));
  $("next").addEventListener("click", () => go(at + 1));
  $("comment").addEventListener("input", () => { of(item().id).comment = $("comment").value; keep(); });
  $("begin").addEventListener("submit", (e) => {
    e.preventDefault();
    rater = $("rater").value.trim();
    if (!rater) return;
    order = shuffled(form.items.length, rater);
    ratings = remembered();
    const open = order.findIndex((i) => !done(form.items[i].id));
    at = open < 0 ? 0 : open;
    $("begin").hidden = true; $("work").hidden = false;
    $("who").textContent = rater;
    $("unkept").hidden = kept;
    show();
  });
  window.addEventListener("beforeunload", (e) => { if (changed && !kept) e.preventDefault(); });
  $("begin").hidden = false;
  $("rater").focus();
})();
)JS";

struct PageWords {
  const char *lang, *title, *rater, *begin, *back, *next, *comment, *csv, *jsonl, *count, *finished, *unkept, *keys,
      *system, *script, *who;
};
constexpr PageWords kEnglish = {
    "en",
    "Rating form",
    "Your name, as it should stand in the ratings",
    "Begin",
    "Back",
    "Next",
    "Comment (optional)",
    "Save as CSV",
    "Save as JSON lines",
    "{done} of {all} rated; this is number {at}",
    "All items are rated. Save the file and send it back.",
    "This browser keeps nothing: save before you close the page.",
    "Keys: digits choose, Enter or j goes on, k goes back, c writes a comment, Esc leaves it.",
    "made by",
    "This form needs JavaScript. It loads nothing and sends nothing.",
    "Rater"};
constexpr PageWords kChinese = {"zh",
                                "评分表",
                                "您的名字（会写进评分结果）",
                                "开始",
                                "上一条",
                                "下一条",
                                "备注（可不填）",
                                "保存为 CSV",
                                "保存为 JSON 行",
                                "共 {all} 条，已评 {done} 条；这是第 {at} 条",
                                "全部评完。请保存文件并交回。",
                                "这个浏览器不保留内容：关闭前请先保存。",
                                "按键：数字打分，回车或 j 下一条，k 上一条，c 写备注，Esc 离开备注。",
                                "由谁生成",
                                "这张表需要 JavaScript。它不加载也不发送任何东西。",
                                "评分人"};

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

// JSON that a script element may hold: nothing in it looks like markup, whatever it says.
std::string Embedded(const Json& value) {
  std::string out;
  for (const char c : ToText(value)) {
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      case '\x7f': out += "\\u007f"; break;
      default: out.push_back(c);
    }
  }
  return ReplaceAll(ReplaceAll(out, "\xe2\x80\xa8", "\\u2028"), "\xe2\x80\xa9", "\\u2029");
}

// As a Content-Security-Policy names an inline script or style.
std::string PolicyHash(std::string_view text) {
  unsigned char hash[EVP_MAX_MD_SIZE], encoded[4 * EVP_MAX_MD_SIZE / 3 + 5];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha256(), nullptr);
  const int length = EVP_EncodeBlock(encoded, hash, static_cast<int>(size));
  return Cat("'sha256-", std::string_view(reinterpret_cast<const char*>(encoded), static_cast<size_t>(length)), "'");
}

}  // namespace

std::string FormPage(const RatingForm& form, bool chinese) {
  const PageWords& words = chinese ? kChinese : kEnglish;
  const std::string own = form.rubric.title.In(chinese), title = own.empty() ? words.title : own;
  const Json script_words = {{"title", title}, {"count", words.count}, {"system", words.system}};
  return Cat("<!doctype html>\n<html lang=\"", words.lang, "\">\n<meta charset=\"utf-8\">\n",
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ",
             PolicyHash(kStyle), "; script-src ", PolicyHash(kScript), "; base-uri 'none'; form-action 'none'\">\n",
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", Escaped(title),
             "</title>\n<style>", kStyle, "</style>\n<h1>", Escaped(title), "</h1>\n<p>",
             Escaped(form.rubric.intro.In(chinese)), "</p>\n<noscript><p class=\"bad\">", words.script,
             "</p></noscript>\n<form id=\"begin\" hidden><label>", words.rater,
             " <input type=\"text\" id=\"rater\" maxlength=\"100\" autocomplete=\"off\" required></label>\n",
             "<nav><button>", words.begin, "</button></nav></form>\n<main id=\"work\" hidden>\n",
             "<progress id=\"bar\" aria-labelledby=\"count\"></progress>\n<p class=\"soft\"><span id=\"count\" "
             "role=\"status\">",
             "</span> · ", words.who, ": <bdi id=\"who\"></bdi></p>\n<p id=\"unkept\" class=\"bad\" hidden>",
             words.unkept, "</p>\n<dl id=\"fields\"></dl>\n<div id=\"criteria\"></div>\n<label>", words.comment,
             " <textarea id=\"comment\" rows=\"2\" maxlength=\"5000\"></textarea></label>\n<nav><button id=\"back\">",
             words.back, "</button><button id=\"next\">", words.next, "</button><span class=\"grow\"></span>",
             "<button id=\"csv\">", words.csv, "</button><button id=\"jsonl\">", words.jsonl,
             "</button></nav>\n<p id=\"finished\" hidden>", words.finished, "</p>\n<p class=\"soft\">", words.keys,
             "</p>\n</main>\n<script type=\"application/json\" id=\"words\">", Embedded(script_words),
             "</script>\n<script type=\"application/json\" id=\"form\">", Embedded(FormData(form, chinese)),
             "</script>\n<script>", kScript, "</script>\n</html>\n");
}

}  // namespace atelier::evaluate
