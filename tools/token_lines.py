"""Varied texts for the tokenizers' goldens: deterministic, one list of bytes objects.

Each maker draws one text from a random generator; MAKERS says how many texts of each are made. Most are built from
words, so that 20,000 of them stay small when compressed; the rest is noise on purpose.
"""
import random

ZH = ("我们 你好 今天 产品 质量 价格 优惠 客户 服务 设计 简约 温暖 家居 咖啡 茶叶 手工 新鲜 清香 健康 早晨 夜晚 城市 旅行 孩子 "
      "礼物 春天 雨水 阳光 海边 山谷 书房 厨房 灯光 舒适 轻便 耐用 防水 保温 充电 续航 屏幕 音质 降噪 的 了 在 是 和 不 也 就 都 "
      "而 与 一 二 三 十 百 千 万 亿 年 月 日 号 元 斤 米 升 只 件 台 双 这款 那些 可以 需要 喜欢 适合 送给 带来 每一天 "
      "人工智能 机器学习 数据库 操作系统 中华人民共和国 北京市朝阳区 上海 广州 深圳 阿里巴巴").split()
ZH_HANT = "我們 這個 產品 價格 優惠 設計 溫暖 雙層 防潑水 電腦 軟體 網際網路 臺灣 香港 繁體中文 體驗 讓 與 為 說 對 開 關 龍 鳳 雞 鐵 廳 鬱 籲".split()
POEM = ("床前明月光 疑是地上霜 春眠不觉晓 处处闻啼鸟 白日依山尽 黄河入海流 欲穷千里目 更上一层楼 千山鸟飞绝 万径人踪灭 "
        "孤舟蓑笠翁 独钓寒江雪 国破山河在 城春草木深 感时花溅泪 恨别鸟惊心 落霞与孤鹜齐飞 秋水共长天一色 关关雎鸠 在河之洲 "
        "蒹葭苍苍 白露为霜 昔我往矣 杨柳依依 大江东去 浪淘尽 千古风流人物").split()
ZH_MARKS = "，。！？；：、“”‘’（）《》【】…—～·「」『』〈〉％＋＝０９Ａｚ　"
RARE = "龘靐齉爩麤鱻犇骉羴猋飍淼垚焱㐀㐁㑇䶵𠀀𠮷𡃁𢦏𣎴𤭢𥄫𦍌𧒽𨋢𩸽𪚥𫝀𫠜𬎆𬺰𭰊𮯠𰀀𰻝𱁬㍿㊙々〇〆ヶ〡卐丨丶亅"
EN = ("the a of and to in is it you that he was for on are with as I his they be at one have this from or had by hot word "
      "but what some we can out other were all there when up use your how said an each she which do their time if will "
      "way about many then them write would like so these her long make thing see him two has look more day could go come "
      "did number sound no most people my over know water than call first who may down side been now find any new work "
      "warm light coffee travel quiet morning device battery charger stainless bottle handmade leather notebook wireless "
      "headphones extraordinarily internationalization antidisestablishmentarianism iPhone GitHub OpenAI LaTeX macOS "
      "don't it's they're we've I'm she'll he'd DON'T IT'S o'clock rock'n'roll naïve café façade résumé coöperate").split()
EU = ("größer straße Übung être garçon où cœur señor mañana coração ação żółć łódź český příliš žluťoučký kůň őrült İstanbul "
      "ışık þú ægir øre ångström привет мир это предложение Київ щастя καλημέρα κόσμε Ἀθῆναι ქართული հայերեն ſtraße ﬁne ǅ ǈ").split()
WORLD = ("안녕하세요 세계 한국어 문장 입니다 こんにちは 世界 これは テスト です カタカナ ﾊﾝｶｸ 東京都 สวัสดีชาวโลก ภาษาไทย ไม่มีช่องว่าง नमस्ते दुनिया हिन्दी में "
         "विज्ञान বাংলা ভাষা தமிழ் மொழி తెలుగు ಕನ್ನಡ മലയാളം ગુજરાતી ਪੰਜਾਬੀ සිංහල မြန်မာ ខ្មែរ ລາວ བོད་ཡིག አማርኛ ᠮᠣᠩᠭᠣᠯ Tiếng Việt Nguyễn đặc biệt").split()
RTL = "مرحبا بالعالم هذا نص عربي ١٢٣٤٥ السلام عليكم שלום עולם זה טקסט בעברית شُكْرًا اُردُو میں لکھا ہوا فارسی می‌خواهم".split()
EMOJI = ("😀 😂 🥰 😭 👍 👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇨🇳 🇺🇸 🇯🇵 ❤️ ✨ 🔥 🎉 ☕ 🍵 🧑🏿‍🚀 1️⃣ #️⃣ ©️ ™️ ⌚ 🫠 🫡 ㊗️ ♻️ ⚡️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🤷‍♀️ 👁️‍🗨️ 🦊 🐉 🥟").split()
SPACES = [" ", "  ", "   ", "    ", "\t", "\t\t", "\u00a0", "\u3000", "\u2003", "\u2009", "\u202f", "\u200b", "\u200d", "\u2060",
          "\ufeff", "\n", "\n\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\u1680", "\u205f", "\u180e", "\x1f", "\x1c"]
MARKS = "\u0301\u0300\u0308\u0303\u0327\u0323\u0331\u20dd\u20e3\u0488\u093e\u094d\u0e31\u0e49\u3099\ufe0f\ufe00\U000e0100"
SPECIAL = ("<|im_end|> <|im_start|> <|endoftext|> <bos> <eos> <unk> <pad> <s> </s> <|eot_id|> <|begin_of_text|> <start_of_turn> "
           "<end_of_turn> <|user|> <|end|> [INST] [/INST] <<SYS>> <0x0A> <0xE4> <unused0> <unused99> <mask> <|file_sep|> "
           "<fim_prefix> <fim_suffix> <|fim_middle|> <repo_name> <reponame> <｜end▁of▁sentence｜> <|tool_call|> <h1> </h1> <b> "
           "</b> <table> </td> <code> </code> <i> <sup> </sup> <blockquote> <ul> <li> [multimodal] <image_soft_token> "
           "<EOT> <|channel|> <|return|> >>TITLE<< |||EMAIL_ADDRESS||| |||PHONE_NUMBER||| [@BOS@] Ċ Ġ Ġthe ĊĊ âĢĻ").split()
CODE = [
    "def {a}({b}, *args, **kwargs) -> dict[str, {c}]:", "    return {{k: v for k, v in {a}.items() if v != {n}}}",
    "if __name__ == '__main__':", "    {a}[{n}:{m}] = np.zeros(({n}, {m}), dtype=np.float32)  # {b}",
    "std::vector<std::unique_ptr<{a}>> {b}_ = {{}};", "template <typename T> auto {a}(T&& {b}) -> decltype({b}.{c}());",
    "#include <{a}/{b}.h>", "for (int i = 0; i < {n}; ++i) {{ {a}[i] += {b}->{c}[i] * {m}.5f; }}",
    "\tconst {a} = async ({b}) => {{ await fetch(`/api/${{{c}}}?id={n}`); }};", "SELECT {a}, COUNT(*) FROM {b} WHERE {c} >= {n} GROUP BY 1;",
    "<div class=\"{a} {b}-{n}\" id='{c}'><a href=\"https://{b}.com/{a}\">{c}</a></div>", "{{\"{a}\": [{n}, {m}], \"{b}\": null, \"{c}\": \"\\u4e2d\\n\"}}",
    "grep -rn '{a}' --include=*.{b} . | awk '{{print ${n}}}' > /dev/null 2>&1", "fn {a}<'a>(&'a self, {b}: &mut {c}) -> Option<u{n}> {{",
    "func ({a} *{b}) {c}(ctx context.Context) error {{", "\\begin{{{a}}} x_{{{n}}} \\leq \\frac{{{m}}}{{{n}}} \\end{{{a}}}", "// TODO({a}): {b} {c}!!! ---- ****",
    "\t\t\t}}\n\t\t}}\n\t}}\n}}", "        self.{a}_{b} = {c}or({n}) << {m} & 0x{n:x}", "x = {n}e-{m}; y = .{m}; z = 1_000_{n}L; w = 0b1011 ^ ~{n}",
]


def pick(r, words, low, high, joiner):
    return joiner.join(r.choice(words) for _ in range(r.randint(low, high)))


def number(r):
    n = r.randrange(10 ** r.randint(1, 9))
    return r.choice([f"{n}", f"{n:,}", f"{n / 100:.2f}", f"{n}%", f"¥{n}", f"${n:,.2f}", f"-{n}", f"1.{n}e{n % 30}", f"{n}kg", f"{n}℃",
                     f"20{n % 100:02d}-{n % 12 + 1:02d}-{n % 28 + 1:02d}", f"{n % 24}:{n % 60:02d}", f"0x{n:X}", f"{n % 256}.{n % 251}.0.{n % 7}",
                     f"+86 138 {n:08d}"[:17], "".join(chr(0x660 + int(d)) for d in str(n)), "".join(chr(0xFF10 + int(d)) for d in str(n)),
                     "".join("零一二三四五六七八九"[int(d)] for d in str(n)), f"{n}½²³", "ⅣⅫ①⑳㈠" + str(n % 10)])


def chinese(r):
    return "".join(r.choice(ZH) + (r.choice(ZH_MARKS) if r.random() < .15 else "") for _ in range(r.randint(3, 18)))


def chinese_mixed(r):
    return "".join(r.choice([r.choice(ZH), r.choice(ZH), r.choice(EN), number(r), r.choice(ZH_MARKS), " "]) for _ in range(r.randint(4, 14)))


def english(r):
    text = pick(r, EN, 4, 20, " ")
    return r.choice([text, text.capitalize() + ".", text.upper(), text.title(), text + "?!", "\"" + text + ",\" he said;", text.replace(" ", "  ", 2),
                     text.replace(" ", "-"), text.replace(" ", "_"), text.replace(" ", ""), " " + text, text + " ", "(" + text + ")..."])


def code(r):
    line = r.choice(CODE).format(a=r.choice(EN[60:100]), b=r.choice(EN[60:100]), c=r.choice(EN[60:100]), n=r.randrange(1000), m=r.randrange(64))
    return " " * r.choice([0, 0, 2, 4, 8, 16]) + line


def url(r):
    return r.choice(["https://", "http://www.", "ftp://", "", "mailto:"]) + r.choice(EN[80:110]).lower() + r.choice([".com", ".cn", ".org", "@qq.com", ":8080"]) + \
        r.choice(["", "/", f"/{r.choice(EN)}?q={number(r)}&x=%E4%BD%A0#top", "/a/b_c-d.html", f"/~{r.choice(EN)}/{number(r)}"])


def spaces(r):
    return "".join(r.choice([r.choice(SPACES) * r.choice([1, 1, 2, 3, 7]), r.choice(SPACES), r.choice(EN), r.choice(ZH), r.choice("'.!<1")]) for _ in range(r.randint(1, 9)))


def combining(r):
    return "".join(r.choice(r.choice([EN, EU, WORLD]))[:4] + "".join(r.choice(MARKS) for _ in range(r.randint(0, 3))) for _ in range(r.randint(1, 6)))


def controls(r):
    return "".join(r.choice([chr(r.randrange(32)), "\x7f", chr(r.randrange(0x80, 0xA0)), "\ufffe", "\u202e", "\ue000", r.choice(EN), "\x00"]) for _ in range(r.randint(1, 6)))


def repeated(r):
    return r.choice([lambda: r.choice("a的 .=-\n\t!0AéÉ한🙂▁x'") * r.choice([2, 3, 5, 8, 13, 16, 31, 32, 33, 64, 100, 257]),
                     lambda: r.choice(["ab", "哈呵", "=-", " \n", "\r\n", "aA", "éA", "!?", "的 ", "1a", "\t ", "lol", "▁ "]) * r.randint(2, 60)])()


def long_word(r):
    return "".join(r.choice([r.choice(EN), r.choice(EN).upper(), r.choice(EU), r.choice(ZH)]) for _ in range(r.randint(20, 120)))


def random_points(r):
    def point():
        c = r.choice([r.randrange(0x300), r.randrange(0x3000), r.randrange(0x10000), r.randrange(0x20000), r.randrange(0x110000)])
        return "" if 0xD800 <= c < 0xE000 else chr(c)
    return "".join(point() for _ in range(r.randint(1, 8)))


def broken(r):
    data = bytearray(r.choice([chinese, english, spaces, combining])(r).encode()[:40])
    for _ in range(r.randint(1, 4)):
        at = r.randrange(len(data) + 1)
        r.choice([lambda: data.insert(at, r.randrange(256)), lambda: data.__delitem__(slice(at, at + 1)),
                  lambda: data.__setitem__(slice(at, at), r.choice([b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xb8", b"\xf0\x9f\x98", b"\xff\xfe", b"\x80\x80", b"\xe0\x80\xaf", b"\xf8\x88"]))])()
    return bytes(data)


def specials(r):
    return "".join(r.choice([r.choice(SPECIAL), r.choice(SPECIAL), r.choice(EN), " ", "\n", "▁", "▁▁", "<", "|", ">", r.choice(ZH)]) for _ in range(r.randint(1, 7)))


def mixture(r):
    makers = [chinese, english, code, url, spaces, combining, specials, lambda q: q.choice(EMOJI), number, lambda q: q.choice(RTL), lambda q: q.choice(WORLD)]
    return "".join(str(r.choice(makers)(r))[:r.randint(1, 16)] for _ in range(r.randint(2, 4)))


MAKERS = [
    (chinese, 2600), (chinese_mixed, 1600), (english, 2800), (code, 1900), (url, 700), (number, 900), (spaces, 1900),
    (combining, 900), (controls, 450), (repeated, 900), (long_word, 120), (random_points, 1300), (broken, 1300), (specials, 1700), (mixture, 1500),
    (lambda r: pick(r, ZH_HANT, 3, 14, ""), 500),
    (lambda r: pick(r, POEM, 2, 4, r.choice(["，", "\n", " ", "。"])), 350),
    (lambda r: "".join(r.choice(RARE + ZH[0]) for _ in range(r.randint(1, 8))), 350),
    (lambda r: pick(r, EU, 2, 9, " "), 500), (lambda r: pick(r, WORLD, 1, 7, r.choice([" ", ""])), 700), (lambda r: pick(r, RTL, 1, 7, " "), 300),
    (lambda r: pick(r, EMOJI, 1, 6, r.choice(["", " ", "!"])), 400),
    (lambda r: pick(r, [number(r) for _ in range(6)], 2, 6, r.choice([" ", ",", ", ", "/", ""])), 500),
    (lambda r: r.choice(["", " ", "\n", "'", "a", "的", "\x00", "▁", "🙂"]), 30),
]


def make_lines(seed=20251122):
    r = random.Random(seed)
    lines = []
    for maker, count in MAKERS:
        for _ in range(count):
            text = maker(r)
            lines.append(text if isinstance(text, bytes) else text.encode("utf-8"))
    return lines


if __name__ == "__main__":
    import zstandard
    made = make_lines()
    raw = b"".join(len(x).to_bytes(4, "little") + x for x in made)
    print(len(made), "lines", len(raw), "bytes", len(zstandard.ZstdCompressor(19).compress(raw)), "compressed")
