"""Instructions as contest tables word them, English and Chinese."""

import pytest

from selector.perception.text_instruction import TextEdit, parse_text_instruction, quoted_texts

REPLACE = {
    "change 'A' to 'B'": ("A", "B"),
    "Replace the text \"Hello\" with \"World\".": ("Hello", "World"),
    "replace the text Hello with World": ("Hello", "World"),
    "Change the text from OPEN to CLOSED": ("OPEN", "CLOSED"),
    "Change the text from 'OPEN' to 'CLOSED' in the picture": ("OPEN", "CLOSED"),
    "Change “Good day” into “Good night”": ("Good day", "Good night"),
    "change ‘Tom’s Diner’ to ‘Sam’s Bar’": ("Tom’s Diner", "Sam’s Bar"),
    "Change 'Tom's Diner' to 'Sam's Diner'": ("Tom's Diner", "Sam's Diner"),
    "Replace 'Boys' Club' with 'Girls' Club'": ("Boys' Club", "Girls' Club"),
    'Change the word "don\'t" to "do"': ("don't", "do"),
    "Change `A` to `B`": ("A", "B"),
    "Change ``A'' to ``B''": ("A", "B"),
    "Write 'B' instead of 'A'": ("A", "B"),
    "Substitute 'B' for 'A'": ("A", "B"),
    "Can you swap \"A\" for \"B\"?": ("A", "B"),
    "Remove 'A' and write 'B'": ("A", "B"),
    "Update the sign from \"10%\" to \"20%\"": ("10%", "20%"),
    "In the image, the text \"A\" should be changed to \"B\"": ("A", "B"),
    "The text 'SALE' should read 'SOLD'": ("SALE", "SOLD"),
    "Change 'Monday' to Tuesday": ("Monday", "Tuesday"),
    "Modify the number 5 to 7": ("5", "7"),
    "Make the sign say 'CLOSED'": (None, "CLOSED"),
    "change the title to 'New'": (None, "New"),
    "Change the text to Hello World": (None, "Hello World"),
    "把“开门”改成“关门”": ("开门", "关门"),
    '将"开门"替换为"关门"': ("开门", "关门"),
    "请将图片中的文字「开门」换成「关门」，其他不变": ("开门", "关门"),
    "把『开门』更改为『关门』": ("开门", "关门"),
    "将《开门》修改为《关门》": ("开门", "关门"),
    "把‘开门’改为‘关门’": ("开门", "关门"),
    "用“关门”替换“开门”": ("开门", "关门"),
    "將「開門」改為「關門」": ("開門", "關門"),
    "图中“A”字改成“B”": ("A", "B"),
    "修改图片文字，“A”变为“B”": ("A", "B"),
    "把文字开门改成关门": ("开门", "关门"),
    "把周一改成“周二”": ("周一", "周二"),
    "把标题改成“夏日特惠”": (None, "夏日特惠"),
    "translate 'Hello' into '你好'": ("Hello", "你好"),
}  # fmt: skip
ADD = {
    "add the text 'X' at the bottom": "X",
    'Add "Hello World" below the logo': "Hello World",
    "Add the word 'X' after 'Hello'": "X",
    "Write “Happy Birthday” on the cake": "Happy Birthday",
    "在图片下方添加文字“欢迎光临”": "欢迎光临",
    "加上文字“欢迎”": "欢迎",
    "在右上角写上「新年快乐」": "新年快乐",
}
DELETE = {
    "remove the text 'A'": "A",
    "Delete the text SALE": "SALE",
    "Remove the word 'A' from the sign 'B'": "A",
    'Erase "Tom\'s" please': "Tom's",
    "删除“开门”": "开门",
    "去掉“开门”": "开门",
    "把“开门”两个字去掉": "开门",
    "Remove all text from the image": None,
    "删除图中所有文字": None,
    "把图中的文字去掉": None,
}
NOT_UNDERSTOOD = (
    "",
    "Make the background blue",
    "Turn it into a painting",
    "Change the dog to a cat",
    "make the text bigger",
    "Change the color of the text 'SALE' to red",
    "把“SALE”的颜色改成红色",
    "把背景换成海滩",
)


@pytest.mark.parametrize(("prompt", "texts"), REPLACE.items())
def test_replacement_is_understood(prompt, texts):
    assert parse_text_instruction(prompt) == TextEdit("replace", *texts)


@pytest.mark.parametrize(("prompt", "new"), ADD.items())
def test_addition_is_understood(prompt, new):
    assert parse_text_instruction(prompt) == TextEdit("add", None, new)


@pytest.mark.parametrize(("prompt", "old"), DELETE.items())
def test_deletion_is_understood(prompt, old):
    assert parse_text_instruction(prompt) == TextEdit("delete", old, None)


@pytest.mark.parametrize("prompt", NOT_UNDERSTOOD)
def test_what_is_no_text_edit_is_none_and_not_a_guess(prompt):
    assert parse_text_instruction(prompt) is None


def test_words_inside_quotes_are_no_verbs():
    assert parse_text_instruction("Change 'remove to add' to 'Replace with'") == TextEdit(
        "replace", "remove to add", "Replace with"
    )


def test_quoted_texts_skip_apostrophes_and_titles_of_works():
    prompt = "a dog's bowl with \"Rex\" and 'Tom's' in 《星空》 style, “你好”"
    assert quoted_texts(prompt) == ("Rex", "Tom's", "你好")


def test_a_quote_that_never_closes_is_no_quote():
    assert quoted_texts('a 6" pipe') == ()
