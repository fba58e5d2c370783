#!/usr/bin/env python3
"""regex.py TEST > PREDICTIONS: what regular expressions and lists of labels get out of the same listings, to hold models against.

Reads {"prompt", ...}, JSON lines; writes {"prediction": "..."} for each. Written and tried on train.jsonl alone. First what is
labelled (lines, cells, brackets, mark-up, questions), then sentences by their cues, at last: what is left and is no known noise is a
feature, and its first piece the name if there is none yet.
"""

import json
import pathlib
import re
import sys

import listing

LABELS = {
    "zh": {
        "name": "品名|名称|商品名称?|产品名称?|货品|商品|产品|宝贝名称|标题|款名|项目名称|名|品|货|title|name|item",
        "category": "品类|类目|分类|类别|所属类目|商品类目|大类|归类|商品分类|产品类别|品种|类|cat(?:egory)?|type",
        "features": "特点|卖点|亮点|参数|说明|规格参数|规格|详情|产品特点|描述|要点|商品卖点|特色|点|特|容量|容积|净含量|净重|重量|尺寸|大小|材质|面料|用料"
        "|包装|数量|时长|时间|优势|功能|材料|工艺|desc|features?|spec|details",
        "audience": "人群|适用人群|适合人群|目标客户|受众|面向|使用人群|目标人群|客群|适用对象|适用|适合|对象|人|客|适|target|audience|for",
        "price": "价格|售价|零售价|单价|现价|到手价|卖价|一口价|统一零售价|报价|优惠价|零售|¥价|价|price|retail",
        "tone": "文案语气|文案风格|文案调性|文案要求|写作语气|语气|文风|调性|口吻|文案|语调|调|语|tone",
        "noise": "库存|现货|起订量?|moq|货号|型号|sku|编号|月销|已售|电话|微信|联系人|箱规|毛重(?:kg)?|外箱|条码|运费|仓位|序号|状态|批发价?|原价|吊牌价?|划线价|代发价|拿货价|出厂价"
        "|定金|市场价|备注|qq|stock|qty|颜色图|更新于",
    },
    "en": {
        "name": "name|product(?: name)?|item(?: name)?|(?:listing )?title|article|what|nm|prod|itm",
        "category": "category|cat|dept|department|(?:product )?type|section|shelf|listed under|typ",
        "features": "features?|details?|specs?|description|highlights|key points|bullets|about|good to know|info|feat|desc|pts|points?"
        "|note|plus|also|capacity|volume|size"
        "|(?:net )?weight|dimensions|measures|material|made of|fabric|pack|comes as|quantity",
        "audience": "audience|(?:who )?for|target(?: group)?|customer|aimed at|ideal for|made for|buyers|who|aud|cust",
        "price": "(?:our |unit |retail |selling )?price(?: each)?|retail|now|cost|asking|prc?|\\$|rrp only",
        "tone": "(?:copy )?tone(?: of voice)?|voice|writing style|style of copy|mood of the text|mood|vce",
        "noise": "stock|moq|sku|item no\\.?|model|ref|tel|call|whatsapp|carton(?: qty)?|ctn qty|gross weight|gw kg|ean|no\\.|wholesale"
        "|sold|status|bin|hs|qty|was|rrp|msrp"
        "|trade price|old price|deposit|list was|compare at|dealer cost|shipping|lead time|vat|quote no\\.?",
    },
}
QUESTIONS = {
    "zh": {
        "price": "多少钱|怎么卖|价格|零售",
        "audience": "什么人|卖给谁|哪些人|谁会买|给谁",
        "category": "类目|哪一类|哪类",
        "tone": "语气|文风|口吻",
        "name": "是什么|叫什么|哪款|品名",
        "features": "特点|介绍|卖点|规格|不一样",
    },
    "en": {
        "price": "how much|cost|price|charge",
        "audience": "who (?:is|buys)|target customer",
        "category": "category|where does it go|department",
        "tone": "tone|sound",
        "name": "what is it|which product|name|call it",
        "features": "special|about it|spec|know|selling point|features",
    },
}
MONEY = {
    "zh": re.compile(
        r"(?:每[^\d\s，。]{1,2})?(?:¥ ?\d[\d.]*(?:/[^\s\d，。；;,|]{1,2})?起?"
        r"|RMB ?\d[\d.]*|\d[\d.]*(?:元|块)(?:/[^\s\d，。；;,|!！~]{1,2}|一[个台张节人位条件只套斤次趟副场桶])?起?)"
    ),
    "en": re.compile(
        r"(?:from )?(?:[$£€] ?\d[\d,]*(?:\.\d+)?|(?:USD|GBP|EUR) \d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)? ?(?:USD|GBP|EUR"
        r"|dollars|euros|pounds|[€£$]))"
        r"(?:/month|/mo| per (?:half day|square foot|[a-z]+))?"
    ),
}
NOT_PRICE = {
    "zh": re.compile(
        r"(?:原价|吊牌价?|划线价?|批发价?|批|拿货价?|代发价?|出厂价?|定金|订金|别家卖|别人家?|市场价|运费|邮费|满|减|不要|平时卖|外面要|原来|专柜|渠道价|进货|看了又看.*)[：: ¥]*$"
    ),
    "en": re.compile(
        r"(?:was|rrp|wholesale|trade price|trade|old price|msrp|deposit|elsewhere|compare at|list was|dealer cost|shipping"
        r"|postage|save|over|used to be|want|expect|not|even"
        r"|viewed:.*)[: ]*$",
        re.I,
    ),
}
NOISE = {
    "zh": re.compile(
        r"库存|现货|起订|MOQ|货号|型号|SKU|编号|月销|已售|电话|微信|联系人|箱规|毛重|外箱|条码|天内发货|^满\d|运费|报价单|前有效|回头客|累计评价|^第?\d+页|仓位|好评率|还剩|限购|税点|客服|更新于"
        r"|原价|吊牌|划线|批发|拿货|代发|出厂价|定金|别家|市场价|看了又看|同店|另有|相关推荐|下一个：|价格(?:私聊|面议|待定|没定|电议)|价钱待定|报价另发|还没定|人付款|评价 ?\d|配送至|加入购物车|立即购买|^收藏|^分享"
        r"|爆款|暴款|厂家|包邮|热卖|新款上市|源头|店长推荐|特惠|正品|清仓|大促|买贵|无理由|秒发|亏本|热销|工厂|老客回购|验货|发票|发货|拍下|FREE|HOT|NEW|BEST|品质保证|诚信|假一赔|顺丰"
        r"|手慢无|拿样|代理|量大|实力商家|ins风|网红|质量好|口碑|回购率|Factory|OEM|欢迎|联保|在线|双十一|不好用|非诚"
        r"|在吗|亲亲|不好意思|尽快|晚点|\[图片\]|\[语音\]|随时问|谢谢|辛苦|大概就|哈哈|嗯嗯|能上架|上次那批|一样的格式|先这样|先看看|样品|放心|别写错|不议价|急急|不在|问下厂里|下周|销量|没测过|要提|不要写|别提|这次不上"
        r"|作废|别抄|不能写|停产|另算|不含|不要放进|卖掉|会员价|押金|另购|加急|^两件|^整[箱件]|老款|进价|批量|打错了|^不是\d|再联系|见?附件|^以上"
        r"|您好|你好|尊敬|录入|新品|转发|资料如下|登记|速递|各位|接上条|如有疑问|此致|不含票|最终解释|^完$|转自|扫码|为准|盼复|家人们|姐妹们|宝子们|老铁|上链接|关注|主播"
    ),
    "en": re.compile(
        r"not tested|warranty|health claims|another item|ignore|never checked|skip it|discontinued|pending|rival|not included"
        r"|out of date|this month|phone number|^two for|case price|rush fee|gift wrap|spare parts|^members|^sample|^pair \$|engraving"
        r"|in stock|\bstock\b|\bMOQ\b|\bSKU\b|item no|\bmodel\b|\bref\b|\d\+? (?:sold|orders)|\btel\b|call \+|whatsapp|carton"
        r"|gross weight|\bEAN\b|ships|save \d|shipping|shiping|quote|valid until|rating|ratings"
        r"|page \d|\bbin\b|only \d+ left|max \d|lead time|\bVAT\b|\bHS \d|updated 20|order by|\bwas \d|\brrp\b|wholesale|trade price"
        r"|old price|msrp|deposit|elsewhere|compare at|list was|dealer cost"
        r"|also viewed|we also do|related:|next item|bundle with|on request|ask us|TBC|ask for price|not final|DM for|hot sale"
        r"|best seller|factory|limited time|must have|top quality|top rated|dispatch"
        r"|NEW NEW|clearance|100%|returns|as seen|don't miss|L@@K|buy (?:it )?now|supplies? last|stocks last|trusted|money back|OEM"
        r"|hot hot|great great|5 star|checkout|drop ship|samples|black friday"
        r"|tracked|message us|excellent|low price|official store|bulk discount|24/7|trending|selling out|hi there|hope you|sorry|pics"
        r"|\[image\]|IMG_|let me know|thanks|cheers|that's about|same format"
        r"|go live|any questions|sent from|don't get the price|urgent|i'm away|will check|box art|last batch|talk soon|^ok so$"
        r"|^right,?$|attached|regards|^fyi$|while stocks|not even|hello|dear customer|fwd|new item form"
        r"|enter in system|info sheet|details as promised|item setup|website team|draft listing|catalogue scan|good day|e&oe"
        r"|looking forward|-- end|subject to change|please confirm|^thx|see website|may vary"
        r"|everyone look|you asked|listen|scrolling|just landed|tired of junk|add to (?:cart|wishlist)|^share$|reviews|contact seller"
        r"|deliver to|follow this shop|are watching|爆款|包邮",
        re.I,
    ),
}
CUES = {
    "zh": {
        "tone": (
            r"文字走(.+)路线",
            r"写的时候(.+)些",
            r"^(.{2,3})的口吻$",
            r"想要(.+)的感觉",
            r"要(.{2,4})的调子$",
            r"(?:文案|语气|口吻|文风|文字|口气|调子|调性|整体口气|整体感觉)(?:写得|写|要|尽量|想要|希望|:)?(.{1,5}?)(?:一点|一些|些|点|就好|就行|$)",
            r"^写得?(.{1,4}?)一?[点些]$",
        ),
        "category": (
            r"(?:放|挂|归在|归到|属于|上到|类目选|分到|走|算|在)(.{1,8}?)(?:类目|那一栏|里|下面|频道上架|一类)?$",
            r"^(.{2,6}?)类的?$",
            r"^(.{2,6}?)(?:区|专区|货架"
            r"|专柜|栏)$",
            r"^摆(.{2,6})那边$",
            r"^系统里选的(.+)$",
        ),
        "audience": (
            r"(?:适合|主要卖给|卖给|目标是|面向|推给|专门为|就是做给|来买的多半是|老客都是|多半是|写给)(.+?)(?:准备|用|买)?$",
            r"我们想打(.+)这块",
            r"客户以(.+)为主",
            r"送(.+)正好",
            r"买的人里(.+)居多",
            r"对着(.+?)去?写",
            r"问得最多的是(.+)",
            r"文案写给(.+)看",
            r"^(.+?)(?:的福音|看过来|必备|专用|买得多|最需要|首选|下单的多|都说好|人手一份)$",
            r"^给(.+?)用?$",
        ),
        "name": (
            r"^(?:这款叫|主推|新到一批|给您推一下|今天主要说|先说|要做页面的是|这次的品是|产品就是|还是那个|我家做|昨天跟您提过的|麻烦帮忙上一下|帮我写一个|系统里叫|名字就叫|关于|说一下)(.+?)(?:的详情|的|这个)?$",
            r"^(?:老板,?|我们家的)?(.+?)(?:有货了|想上架|上新啦|了解一下|,您看看|资料发你了|您看看)$",
        ),
    },
    "en": {
        "tone": (
            r"(?:keep the copy|tone should be|make it sound|write it|nothing fancy,? just|wants to be) ([a-z]+)",
            r"voice: ?([a-z]+)",
            r"^just ([a-z]+) wording",
            r"^([a-z]+) wording please",
            r"^(?:sound|should read|tone|go) ([a-z]+)",
            r"^a ([a-z]+) voice",
            r"on the ([a-z]+) side",
            r"^([a-z]+) (?:tone|wording|copy) ?(?:please|thanks)?$",
        ),
        "category": (
            r"(?:goes under|file it in|category would be|belongs in|listed in|have it under|list it under"
            r"|put it in)(?: the)? (.+?)(?: section)?$",
            r"^(.+?) (?:department|section|dept\.?|aisle)$",
            r"^(?:it lives in|shelf"
            r"|system says|dept\.) (.+)$",
        ),
        "audience": (
            r"(?:^for|meant for|bought by|good for|aimed at|sell it to|perfect for|liked by|who buys\?|it is|ideal for"
            r"|gift for|^think|a hit with|calling all|pitch it at|our buyers are) (.+)$",
            r"made with (.+) in mind",
            r"^(.+?) (?:love it|mostly|keep coming back for it|who ask for it)$",
        ),
        "name": (
            r"(?:this one is the|list our|please put up the|new in:|today it's the|about the|the product is|we make|meet our"
            r"|write up the|as discussed,? the|it's called|need a page for"
            r"|we supply|info for|called|name it|name for the site:|re:) (.+)$",
            r"^(.+?) (?:just came in|is back)$",
        ),
    },
}
LEAD = {
    "zh": re.compile(
        r"^(?:麻烦|还有|另外|对了|补充一点|有个好处|再就是|记得写|重点写|重点|特点就是|主要是|客户最看重|简单说就是|跟别家不同的地方|页面上要有|几个点|优点嘛|然后|嗯|那个|就是说|就是|呃|再加上"
        r"|再有)[,，:：]*"
    ),
    "en": re.compile(
        r"^(?:also|plus|and|oh|oh,? and|don't forget:?|worth saying:?|customers ask,? so:?|so:|then there's|then"
        r"|key thing:?|what matters:?|main points are|please mention|in short:?|what people like:?"
        r"|to go on the page:?|the facts:?|it has this going for it:?|um|er|so|you know|anyway|right|okay|yeah|hi)\s+",
        re.I,
    ),
}
TAIL = {
    "zh": re.compile(r"[,，]?(?:这几点写上|都写进去|这个要写|要写|哦)$"),
    "en": re.compile(r",? ?(?:that's the pitch|put that in)$", re.I),
}
LOOSE = {  # things of several words that mean nothing, taken out before anything is split
    "zh": re.compile(
        r"BEST SELLER|HOT SALE|FREE SHIPPING!*|NEW ARRIVAL|Factory Direct|OEM/ODM|联系人\S{0,4} ?[\d-]+|(?:电话|微信同号"
        r"|微信) ?[\d-]+|\[语音\] ?\d*\"?|\[图片\]|(?:编号|SKU:?|MOQ:?|条码|货号|型号|仓位|报价单号) ?[\w-]+"
        r"|(?:相关推荐|同店还有|另有) ?\S+|(?:看了又看|下一个):\S+(?: ?\d+元)?|客服QQ ?\d+|配送至 请选择|服务 七天无理由|评价 \d+|店铺 关注 \d+|(?<!\d)1\d{10}(?!\d)"
        r"|0\d{2,3}-\d{7,8}|外箱[\dx]+cm|毛重[\d.]+kg|(?:不要|外面要|原来)\d+,|平时卖\d+的,"
        r"|库存\d+件?|起订量\d+|月销\d+\+?|已售\d+|箱规\d+|\d+天内发货|满\d+减\d+|运费\d+元|(?:回头客占|好评率|税点)\d+%|累计评价\d+|还剩\d+件|限购\d+件|更新于[\d-]+|(?:帮忙录一下这个"
        r"|按要求整理如下|附上我司产品资料)|请查收|\d+人付款",
        re.I,
    ),
    "en": re.compile(
        r"dear friend,?|dear customer,? as\s+requested|friends,\s+listen up|\+1 555 \d+|(?:tel|call|whatsapp) [+\d -]{6,}|\b(?:bin|sku"
        r"|ref|model|item no\.?|quote no\.?|ean|hs) [A-Z0-9][\w.-]*\d[\w-]*|\d+\+? (?:in stock|sold|orders)(?! by)|moq:? \d+(?: pcs)?"
        r"|\b(?:shipping|deposit|rrp|trade price|old price|dealer cost|elsewhere|compare at|msrp|list was|was|save|vat"
        r"|wholesale) [$£€]?\d[\d.]*%?(?: \(\d+\+ units\))?|(?:lead time|ships in) \d+ days|carton qty \d+"
        r"|gross weight [\d.]+ kg|carton \d+x\d+x\d+ cm|rating [\d.]+ \(\d+ reviews\)|page \d+ of \d+|only \d+ left"
        r"|max \d+ per customer|valid until [\d/]+|updated [\d-]+|order by \d+ pm|100% satisfaction|stock: \d+"
        r"|customers also viewed: [a-z ]+\$\d+|we also do [a-z]+(?: [a-z]+)?|bundle with [a-z ]+\(quoted separately\)|related: [a-z]+(?: [a-z]+)?|24/7 support|kind regards, \w+|best regards|regards, sales team"
        r"|subject to change\s+without\s+notice|(?:hi,\s+)?details as\s+promised|next item [a-z ]+, info later|not \d+, not even \d+,"
        r"|others want \d+ for this,|used to be \d+,|you'd expect \d+,",
        re.I,
    ),
}
BREAK = {  # where a new thought begins in a text without marks
    "zh": re.compile(
        r"(?<=\S)(?=(?:语气要|文案|(?<!的)口吻|文风|文字尽量|整体口气|零售\d|零售¥|老客都是|放\S{2,6}类目|推给|面向|归在|类目选|挂\S{2,6}那一栏|按\d+\S{0,4}卖|目标是"
        r"|主要卖给|专门为))"
        r"|对对对|嗯那个|就是说|我跟你讲啊|呃|喂(?= )|然后还有|然后|嗯还有|那个再有|再加上"
    ),
    "en": re.compile(
        r" (?=(?:price is|we charge|sells for|it's [$£€\d]|retail [$£€]|list it at|yours for"
        r"|now [$£€\d]|only [$£€]|asking [$£€\d]|put [$£€]|today it's|grab it|yours at|goes under|file it in|category would be"
        r"|it belongs in"
        r"|put it in the|listed in|we have it under|keep the copy|tone should be|make it sound|voice:|the text wants"
        r"|nothing fancy|it's meant for|mostly bought by|good for|aimed at|we sell it to|perfect for"
        r"|our buyers are|made with|a hit with|calling all|pitch it at|customers ask))|\b(?:um so|yeah hi|okay so|right so"
        r"|you know|anyway|um|er|oh and|then there's|and also|also|plus)\b",
        re.I,
    ),
}
CATEGORIES = {row["category"].lower() for row in listing.read(pathlib.Path(__file__).resolve().parent / "rows.jsonl")}
PEOPLE = {
    "zh": re.compile(
        r"^[^\d]{0,14}(?:的人|家庭|孩子|爱好者|妈妈?|爸爸?|爸妈|老人|宝宝|学生|小学生|上班族|司机|[^特商]党|族|家长|师傅|姑娘|男士|女生|情侣|夫妻|业主|老板|主人|朋友|新手|小朋友|大叔"
        r"|年轻人|长辈|用户|车主|住户|人士)$"
    ),
    "en": re.compile(
        r"^(?:[a-z][\w'-]* ){0,3}[a-z][\w-]*(?:ers|ors|ists|people|parents|families|fans|kids|students|mothers|brides"
        r"|owners|babies|couples|commuters|folks|households|homes|teens)$",
        re.I,
    ),
}
ICON = re.compile(r"[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff★●◆※■]+")
BULLET = re.compile(r"^\s*(?:[-*•·>+🔸]|o |--|\d{1,2}[.)、](?!\d))\s*")


def lines_of(text, lang):
    """The listing as plain lines: without mark-up, widths, senders and icons."""
    text = listing.width(text).replace("&nbsp;", " ")
    if text.startswith("{"):
        text = re.sub(r"\[([^\]]*)\]", lambda found: '"' + found[1].replace('"', "").replace(",", ";") + '"', text)
        text = re.sub(r'"(\w+)" ?: ?"?([^"{}]*)"?,? ?', r"\n\1:\2\n", text).strip("{}")
    text = re.sub(r"</td><td>", ": ", text)
    text = re.sub(r"<[^<>]{1,8}>", lambda found: "" if found[0] in ("<b>", "</b>") else "\n", text)
    if text.count("&") >= 2 and text.count("=") >= 3:
        text = text.replace("&", "\n")
    known = "|".join(f"(?:{pattern})" for pattern in LABELS[lang].values())
    text = re.sub(r"(?m)^(?:Customer asks|We say|Buyer|Seller|买家|客服|客户问|我们答)(?::| ) ?", "", text)
    text = re.sub(rf"[\[【《「(<*]\s*((?:{known}|[^\W\d]{{2,9}}[ /(][^\W\d]{{2,9}}\)?))\s*[\]】》」)>*]\s*", r"\n\1: ", text, flags=re.I)
    text = re.sub(r"(?m)^\[\d+:\d+\] \S+(?: \(supplier\)| 02| desk| W| Wei)? ", "", text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    heads = [re.match(r"([^:：]{2,16})[:：] ?", line) for line in lines]
    if len(lines) > 2 and all(heads) and len({head[1] for head in heads}) == 1 and not re.fullmatch(known, heads[0][1], re.I):
        lines = [line[head.end() :] for line, head in zip(lines, heads)]
    text = "\n".join(lines)
    text = LOOSE[lang].sub("\n" if lang == "zh" else " ; ", text)
    if lang == "zh" and len(re.findall(r"[一-鿿] [一-鿿]", text)) > 4 and re.search(r"(?<![一-鿿])[一-鿿] [一-鿿]", text):  # a scan
        text = re.sub(r"(?<=[一-鿿]) (?=[一-鿿])", "", text)
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line]


def key_of(label, lang):
    label = label.strip(" :：*").lower()
    for half in (label, *re.split(r"[ /(]", label.rstrip(")"))):
        for key, pattern in LABELS[lang].items():
            if half and re.fullmatch(pattern, half, re.I):
                return key
    return None


def split(value, lang):
    """A value that holds several features."""
    for mark in (";", "|", " / ", "/", "、", "·", " + ", "+", "。", ". ", " ~ ", ",", "，", " - "):
        if mark in value and not (mark in "/+" and lang == "en"):
            return [part.strip() for part in value.split(mark) if part.strip()]
    if lang == "zh" and " " in value:
        return value.split()
    return [value.strip()]


def money(text, lang):
    """The amounts in a text that may be the price, the last first."""
    found = [
        match
        for match in MONEY[lang].finditer(re.sub(r"\((?:trade|批发)[^)]*\)|~~.*?~~", "", text))
        if not NOT_PRICE[lang].search(text[: match.start()])
    ]
    return [match[0].strip() for match in reversed(found)]


def put(row, key, value):
    """What is labelled: into its field, unless it has one already."""
    lang = row["lang"]
    if key != "features":
        end = r"[;；。|]|,(?=\S+[:=：])" if key == "price" else r"[;；。|]| / |\. "
        value = re.split(end, ICON.sub("|", value).strip(" ;|,，。!！~-/"))[0]
    value = re.sub(r"\s+", " ", ICON.sub(" ", value)).strip(" ;|,，。!！~-/¦^='.*[《【「(<")
    if key == "noise" or re.fullmatch(r"(?:n/a|-|/|tba|none|\?|暂无|待补|无|)", value):
        return
    if key == "features":
        row["features"] += [part for part in split(value, lang) if not NOISE[lang].search(part)]
    elif key == "price":
        amounts = money(value, lang)
        usable = re.search(r"\d", value) and not NOISE[lang].search(value)
        row["price"] = row["price"] or (amounts[0] if amounts else value if usable else "")
    elif not row[key]:
        row[key] = value


def columns(lines, lang):
    """Lines of two cells as lines with labels."""
    for mark in ("\t", "|", ";", ","):
        pairs = [line.split(mark, 1) for line in lines]
        if len(pairs) > 2 and all(len(pair) == 2 for pair in pairs):
            if sum(key_of(pair[0], lang) is not None for pair in pairs) > len(pairs) / 2:
                return [f"{head.strip()}: {cell.strip()}" for head, cell in pairs]
    return lines


def table(row, lines):
    """Whether the first two lines are a table's heading and its cells; then they are read."""
    for mark in ("\t", "|", ",", ";"):
        heads = [cell.strip() for cell in lines[0].split(mark)]
        if len(lines) > 1 and len(heads) >= 3 and sum(key_of(head, row["lang"]) is not None for head in heads) >= max(3, len(heads) - 2):
            for head, cell in zip(heads, lines[1].split(mark)):
                put(row, key_of(head, row["lang"]) or "noise", cell)
            return True
    return False


def labelled(row, lines):
    """Reads what has labels, in whatever form, and returns the lines that have none."""
    lang, rest = row["lang"], []
    known = "|".join(f"(?:{pattern})" for pattern in LABELS[lang].values())
    start = r"(?:^|(?<=[;|,，。/；])|(?<=[;|,.~/!] )|(?<=  )|(?<=[一-鿿\d] ))"
    colon = r"(?:\s*(?::|=|→|->|—|：)\s*|\s+-\s+|\t| \. \. \. |  | \| )"
    label = re.compile(rf"{start}((?:{known})(?: ?[ /(] ?[\w ]+\)?)?){colon}", re.I)
    lines = columns(lines, lang)
    cells = next((lines[0].split(mark) for mark in ("\t", " | ", ";", ",") if len(lines[0].split(mark)) == 7), None)
    if cells and len(lines) == 1 and re.fullmatch(r"[A-Z\d-]+", cells[0].strip()):  # a line of a table without its heading
        for key, cell in zip(("name", "category", "features", "audience", "price"), cells[1:]):
            put(row, key, cell)
        return []
    i, features_follow = 0, False
    while i < len(lines):
        line = lines[i]
        i += 1
        if table(row, lines[i - 1 :]):
            i += 1
            continue
        if re.search(r"[?？]$", line) and i < len(lines):
            answer = re.sub(r"^(?:A:|答:|客服:|Seller:|We say:|我们答|-- |>> ?)\s*", "", lines[i])
            put(row, next((key for key, pattern in QUESTIONS[lang].items() if re.search(pattern, line, re.I)), "noise"), answer)
            i += 1
            continue
        found = list(label.finditer(line))
        if found and (found[0].start() == 0 or len(found) > 1 or ":" in found[0][0]):
            rest += [line[: found[0].start()]] if found[0].start() else []
            for this, after in zip(found, [*found[1:], None]):
                key, value = key_of(this[1], lang) or "noise", line[this.end() : after.start() if after else None]
                put(row, key, value)
                features_follow = key == "features" and not value.strip()
            continue
        plain = re.sub(r"[:=→—\-\s.]+$", "", line)
        alone = next((key for key, pattern in LABELS[lang].items() if re.fullmatch(pattern, plain, re.I)), None)
        trail = re.split(r" > | » |›", line)
        if alone and len(line) < 24:
            features_follow = alone == "features"
        elif BULLET.match(line) or (ICON.match(line) and features_follow):
            put(row, "features", ICON.sub("", BULLET.sub("", line)))
        elif len(trail) == 3:
            row["name"] = row["name"] or trail[2].strip()
            if not re.search(r"全部商品|新品|本店|All products|New in|Sale", trail[1]):
                put(row, "category", trail[1])
        else:
            rest.append(line)
    return rest


def pieces_of(lines, lang):
    """Lines without labels as single thoughts."""
    found = []
    for line in lines:
        marks = r"[!;|\t]|\.\s|,\s| - | / | \.\.\. | -- | • | \* | · | ~ |  "
        if lang == "zh":
            marks = r"[。！!;；|，,、~～·\t]|(?<=[^\w]) | \| | - | / |  " + ("" if re.search(r"[，。；！]", ICON.sub("", line)) else "| ")
        whole = BREAK[lang].sub("\n", ICON.sub("\n", line))
        found += [piece.strip(" .*#★-—[]()【】《》~/|") for part in whole.split("\n") for piece in re.split(marks, part)]
    return [piece for piece in found if piece and not NOISE[lang].search(piece)]


def guess(row, pieces):
    """Reads pieces without labels by their cues, and returns those that have none."""
    lang, left = row["lang"], []
    for piece in pieces:
        piece = TAIL[lang].sub("", LEAD[lang].sub("", piece)).strip(" :：")
        amounts = money(piece, lang)
        cues = {key: next((found for cue in CUES[lang][key] if (found := re.search(cue, piece, re.I))), None) for key in CUES[lang]}
        if amounts:
            row["price"] = row["price"] or amounts[0]
        elif piece.lower() in CATEGORIES and not row["category"]:
            row["category"] = piece
        elif PEOPLE[lang].search(piece) and not row["audience"] and not cues["audience"]:
            row["audience"] = piece
        elif key := next((key for key in ("tone", "audience", "name", "category") if cues[key]), None):
            row[key] = row[key] or cues[key][1].strip()
        elif piece:
            left.append(piece)
    return left


def extract(lang, text):
    row = {"lang": lang, "name": "", "category": "", "features": [], "audience": "", "price": "", "tone": ""}
    lines = lines_of(text, lang)
    left = guess(row, pieces_of(labelled(row, lines), lang)) if lines else []
    if not row["name"] and left:
        capitals = [piece for piece in left if re.fullmatch(r"[A-Z][\w'-]*(?: (?:[A-Z][\w'-]*|for|of|in|by|and|With))+", piece)]
        row["name"] = (capitals or left)[0]
        left.remove(row["name"])
    for piece in left:
        if piece != row["name"]:
            row["features"] += split(piece, lang) if not row["features"] else [piece]
    seen, features = {listing.bare(row["name"])}, []
    for feature in row["features"]:
        feature = feature.strip(" .。")
        if feature and listing.bare(feature) not in seen and len(feature) <= 60:
            seen.add(listing.bare(feature))
            features.append(feature)
    return row | {"features": features[:12]}


def main(path):
    for pair in listing.read(path):
        print(json.dumps({"prediction": listing.reply(extract(*listing.listing(pair["prompt"])))}, ensure_ascii=False))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
