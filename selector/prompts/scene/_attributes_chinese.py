"""Chinese attributes with their kind, and what each could be taken for."""

from __future__ import annotations

from selector.prompts.scene._words import words

COLOUR_ROOTS = "红橙橘黄绿青蓝紫粉棕褐黑白灰金银米"
SHADES = words(
    "深 浅 淡 亮 暗 鲜 粉 天 墨 宝石 宝 橙 橘 金 银 玫瑰 玫 翠 湖 乳 雪 酒 朱 枣 土 灰 蓝 紫 黑 青 米 碧 嫩 草 海 藏 纯"
)
MORE_COLOURS = words(
    "彩色 咖啡色 奶油色 卡其色 驼色 粉红 深红 浅蓝 深蓝 天蓝 墨绿 翠绿 雪白 漆黑 火红 金黄 五颜六色 彩虹色"
)
LONG_ATTRIBUTES: dict[str, str] = {  # of two characters and more: always an attribute before 的 or a noun
    **dict.fromkeys(
        words(
            "木制 木质 木头 实木 玻璃 金属 塑料 石头 石制 砖砌 大理石 皮革 皮质 真皮 纸质 布艺 陶瓷 黄铜 青铜"
            " 不锈钢 水泥 天鹅绒 丝绸 棉质 羊毛 毛绒 橡胶 水晶 竹制 竹编 草编 藤编 亚麻 混凝土 铁制 铜制"
        ),
        "material",
    ),
    **dict.fromkeys(words("巨大 微小 迷你 高大 巨型 小小 大大 高高 长长 矮小 庞大 细长 小型 大型"), "size"),
    **dict.fromkeys(words("圆形 方形 三角形 正方形 长方形 椭圆形 球形 心形 圆圆"), "shape"),
    **dict.fromkeys(words("条纹 格子 波点 斑点 碎花 花纹 纯色 黑白相间 黑白"), "pattern"),
    **dict.fromkeys(words("古老 年轻 年老 古代 现代 复古 老式 破旧 老旧 崭新 陈旧 生锈 年迈"), "age"),
    **dict.fromkeys(words("毛茸茸 光滑 粗糙 柔软 闪亮 透明 卷曲 蓬松"), "texture"),
    **dict.fromkeys(words("打开 关闭 破碎 燃烧 空荡荡"), "state"),
}
SHORT_ATTRIBUTES: dict[str, str] = {  # of one character: only right before a noun, or before 的
    **dict.fromkeys("木石砖纸布瓷铁铜钢竹", "material"),
    **dict.fromkeys("小大", "size"),
    **dict.fromkeys("圆方", "shape"),
    **dict.fromkeys("老旧新", "age"),
}
ONLY_BEFORE_DE = {"高": "size", "矮": "size", "长": "size", "短": "size", "空": "state", "胖": "size", "瘦": "size"}
RIVALS: dict[str, tuple[str, ...]] = {
    "colour": ("红色", "蓝色", "绿色", "黄色", "黑色", "白色"),
    "material": ("木制", "金属", "玻璃", "石头", "塑料"),
    "size": ("小", "大"),
    "shape": ("圆形", "方形"),
    "pattern": ("纯色", "条纹", "斑点"),
    "age": ("古老", "崭新"),
    "texture": ("光滑", "毛茸茸"),
    "state": (),
}
ANTONYMS: dict[str, str] = {
    "小": "大",
    "大": "小",
    "巨大": "微小",
    "微小": "巨大",
    "高": "矮",
    "矮": "高",
    "长": "短",
    "短": "长",
    "高大": "矮小",
    "迷你": "巨大",
    "巨型": "微小",
    "胖": "瘦",
    "瘦": "胖",
    "小小": "巨大",
    "高高": "矮小",
    "老": "年轻",
    "年轻": "年老",
    "年老": "年轻",
    "古老": "现代",
    "现代": "古老",
    "新": "旧",
    "旧": "新",
    "破旧": "崭新",
    "崭新": "破旧",
    "光滑": "粗糙",
    "粗糙": "光滑",
    "柔软": "坚硬",
    "透明": "不透明",
    "打开": "关闭",
    "关闭": "打开",
    "破碎": "完整",
    "空": "装满",
}
SAME: tuple[frozenset[str], ...] = tuple(
    frozenset(words(same))
    for same in (
    "红色 深红色 鲜红色 朱红色 酒红色 枣红色 火红 深红",
    "橙色 橘色 橙黄色 橘黄色",
    "黄色 金色 金黄色 金黄 土黄色",
    "蓝色 深蓝色 浅蓝色 天蓝色 深蓝 浅蓝 天蓝 宝蓝色 湖蓝色 海蓝色 藏蓝色",
    "绿色 翠绿色 墨绿色 墨绿 翠绿 草绿色 深绿色 浅绿色",
    "白色 雪白 乳白色 米白色 米色",
    "黑色 漆黑",
    "灰色 银色 银灰色 银白色",
    "粉色 粉红色 粉红",
    "棕色 褐色 咖啡色",
    "木 木制 木质 木头 实木",
    "金属 铁 铜 钢 不锈钢 黄铜 青铜 铁制 铜制",
    "石 石头 石制 大理石 砖",
    "玻璃 水晶",
    "纸 纸质",
        "圆 圆形 球形 圆圆", "方 方形 正方形",
    )
)  # fmt: skip
