"""A prompt becomes a caption that says what is to be seen, and nothing that only a WebUI knows."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.captions import caption

CAPTIONS = {
    'plain': ('a mill, a hill', 'a mill, a hill'),
    'a weight': ('(mill:1.2), a hill', 'mill, a hill'),
    'a weight with spaces': ('a ( mill : 1.2 ) here', 'a mill here'),
    'a weight without a digit before the point': ('(mill:.5)', 'mill'),
    'a weight below nothing': ('(mill:-0.5)', 'mill'),
    'a weight for several': ('(mill, hill:1.3), sky', 'mill, hill, sky'),
    'more weight': ('((mill)), (((hill)))', 'mill, hill'),
    'less weight': ('[mill], [[hill]]', 'mill, hill'),
    'weights in weights': ('((mill:1.2), [hill]:0.9)', 'mill, hill'),
    'a colon that is no weight': ('(ratio 16:9 view), time: noon', 'ratio 16:9 view, time: noon'),
    'a network': ('a mill <lora:fog_v2:0.8>, hill', 'a mill, hill'),
    'networks alone between commas': ('<lora:a:1>, <lyco:b:1:0.5>, mill, <hypernet:c:1>', 'mill'),
    'a network with more to say': ('<lora:a b:te=1:unet=0.5:lbw=1,0,0>mill', 'mill'),
    'a heart': ('mill <3, 5 < 6 > 2', 'mill <3, 5 < 6 > 2'),
    'prompt editing': ('a [mill:tower:0.5] here', 'a tower here'),
    'prompt editing by steps': ('a [mill:tower:12]', 'a tower'),
    'added later': ('a mill [in fog:0.3]', 'a mill in fog'),
    'added later in the other form': ('a mill [:in fog:0.3]', 'a mill in fog'),
    'gone later': ('a mill [in fog::0.3]', 'a mill in fog'),
    'prompt editing inside': ('[a:[mill:(tower:1.2):0.3]:0.7]', 'tower'),
    'words in turn': ('a [cat|dog] sits', 'a cat dog sits'),
    'a bar outside': ('mill | hill', 'mill | hill'),
    'BREAK': ('a mill BREAK a hill', 'a mill, a hill'),
    'BREAK on a line': ('a mill,\nBREAK\na hill', 'a mill, a hill'),
    'AND': ('a mill AND a hill', 'a mill, a hill'),
    'AND with shares': ('a mill :1.2 AND a hill:0.8', 'a mill, a hill'),
    'AND in a bracket': ('(a mill AND a hill:1.2)', 'a mill, a hill'),
    'words that hold those': (
        'BREAKFAST, a HAND and SAND, break',
        'BREAKFAST, a HAND and SAND, break',
    ),
    'escapes': (r'miku \(vocaloid\), \[x\], a \\ b', r'miku (vocaloid), [x], a \ b'),
    'escapes in a weight': (r'(miku \(vocaloid\):1.2)', 'miku (vocaloid)'),
    'a smile': ('mill :), :d, ^_^', 'mill :), :d, ^_^'),
    'never closed': ('(mill, [hill', 'mill, hill'),
    'closed crosswise': ('([mill)], sky', 'mill], sky'),
    'lines': ('mill\nhill,\n\n sky', 'mill, hill, sky'),
    'sentences on lines': (
        'A mill stands.\nIt turns!\n轉。\n完',
        'A mill stands. It turns! 轉。 完',
    ),
    'commas without words': (', mill,, ,hill ,', 'mill, hill'),
    'other line ends': ('mill\r\nhill', 'mill, hill'),
    'nothing but a network': ('<lora:a:1>', ''),
    'no text': (None, ''),
    'a list': (['mill'], ''),
}


@pytest.mark.parametrize(('prompt', 'expected'), CAPTIONS.values(), ids=CAPTIONS)
def test_a_caption_says_what_is_to_be_seen(prompt: object, expected: str) -> None:
    assert expected == caption(prompt)


@settings(deadline=None, database=None, max_examples=300)
@given(st.text(st.sampled_from('ab :|()[]\\,\n<>1.5AND')) | st.text())
def test_every_prompt_has_a_caption_of_one_line(prompt: str) -> None:
    made = caption(prompt)

    assert made == made.strip() and '\n' not in made and '\0' not in made
    if not set('\\()[]:|<') & set(made):
        assert made == caption(made) or 'AND' in made or 'BREAK' in made


HOSTILE = {
    'open': '(' * 400_000 + 'a' * 400_000,
    'open and closed': '([' * 99_999 + 'a' * 99_999 + '])' * 99_999,
    'networks that do not end': '<a:' * 200_000,
    'colons': '(' + ':1' * 200_000 + ')',
    'digits': '(a:' + '1' * 400_000 + 'x) AND a:' + '1' * 400_000 + 'x',
    'spaces': '(a:' + ' ' * 400_000 + 'x) AND a.' + ' ' * 400_000 + 'x',
}


@pytest.mark.parametrize('prompt', HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_prompt_takes_no_time_to_speak_of(prompt: str) -> None:
    begun = time.process_time()
    caption(prompt)

    assert time.process_time() - begun < 20
