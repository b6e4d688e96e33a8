"""What people paste, and which gallery it means or why it is none."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.source import MAX_ID, GallerySource, parse_source
from scripts.civitai_manager_libs.errors import SourceError

BASE = 'https://civitai.com'
DEMO = 'http://127.0.0.1:7000'


def model(number: int, version: int = 0) -> GallerySource:
    return GallerySource('model', number, version)


SOURCES = [
    ('4201', model(4201)),
    ('  4201\n', model(4201)),
    ('2147483647', model(2147483647)),
    ('https://civitai.com/models/4201', model(4201)),
    ('https://civitai.com/models/4201/', model(4201)),
    ('https://civitai.com/models/4201/some-name-of-it', model(4201)),
    ('https://civitai.com/models/4201/%E6%A8%A1%E5%9E%8B?modelVersionId=9', model(4201, 9)),
    ('https://civitai.com/models/4201?a=b&modelVersionId=501#comments', model(4201, 501)),
    ('https://civitai.com/models/4201?modelVersionId=', model(4201)),
    ('https://civitai.com/models/4201?back=https://example.org/', model(4201)),
    ('civitai.com/models/4201?back=https://example.org/', model(4201)),
    ('http://civitai.com/models/4201', model(4201)),
    ('HTTPS://WWW.Civitai.COM/models/4201', model(4201)),
    ('civitai.com/models/4201', model(4201)),
    ('www.civitai.com/models/4201', model(4201)),
    ('https://civitai.com:443/models/4201', model(4201)),
    ('https://civitai.red/models/4201', model(4201)),
    ('https://www.civitai.red/models/4201', model(4201)),
    ('https://civitai.green/models/4201', model(4201)),
    ('https://civitai.com/model-versions/501', GallerySource('version', 501)),
    ('https://civitai.com/user/Some_One', GallerySource('user', username='Some_One')),
    ('https://civitai.com/user/some%20one/images', GallerySource('user', username='some one')),
    ('https://civitai.com/posts/77', GallerySource('post', 77)),
    ('https://civitai.com/images/88?postId=77', GallerySource('image', 88)),
    ('https://civitai.com/api/v1/models/4201', model(4201)),
    ('https://civitai.com/api/v1/model-versions/501', GallerySource('version', 501)),
    ('https://civitai.com/api/download/models/501?type=Model', GallerySource('version', 501)),
    ('https://civitai.com/api/v1/images?modelId=4201', model(4201)),
    ('https://civitai.com/api/v1/images?modelId=4201&modelVersionId=5', model(4201, 5)),
    ('https://civitai.com/api/v1/images?modelVersionId=5&limit=9', GallerySource('version', 5)),
    ('https://civitai.com/api/v1/images?postId=7', GallerySource('post', 7)),
    ('https://civitai.com/api/v1/images?imageId=8&postId=7', GallerySource('image', 8)),
    ('https://civitai.com/api/v1/images?username=abc', GallerySource('user', username='abc')),
    ('urn:air:sdxl:lora:civitai:328553@368189', model(328553, 368189)),
    ('urn:air:sd1:checkpoint:civitai:4201', model(4201)),
    ('URN:AIR:SDXL:LORA:CIVITAI:328553@368189.safetensors', model(328553, 368189)),
    ('air:sdxl:lora:civitai:1@2', model(1, 2)),
    ('civitai:1@2', model(1, 2)),
]


@pytest.mark.parametrize(('text', 'expected'), SOURCES, ids=[text for text, _ in SOURCES])
def test_what_can_be_opened(text: str, expected: GallerySource) -> None:
    assert parse_source(text, BASE) == expected


@pytest.mark.parametrize(
    ('text', 'base'),
    [
        (f'{DEMO}/models/4201', DEMO),
        ('127.0.0.1:7000/models/4201', DEMO),
        ('https://civitai.com/models/4201', DEMO),
        ('https://www.mirror.example/models/4201', 'https://www.mirror.example'),
        ('http://[::1]:7000/models/4201', 'http://[::1]:7000'),
    ],
)
def test_pages_of_the_configured_host_can_be_opened(text: str, base: str) -> None:
    assert parse_source(text, base) == model(4201)


REFUSED = [
    ('', 'source_empty'),
    (' \n\t', 'source_empty'),
    ('0', 'source_bad_id'),
    ('2147483648', 'source_bad_id'),
    ('9' * 1500, 'source_bad_id'),
    ('9' * 3000, 'source_unknown'),
    ('-5', 'source_unknown'),
    ('4.5', 'source_unknown'),
    ('hello', 'source_unknown'),
    ('hello world', 'source_unknown'),
    ('https://', 'source_unknown'),
    ('https://civitai.com', 'source_unknown'),
    ('https://civitai.com/', 'source_unknown'),
    ('https://civitai.com/articles/5', 'source_unknown'),
    ('https://civitai.com/models', 'source_unknown'),
    ('https://civitai.com/user/', 'source_unknown'),
    ('https://civitai.com/user/%20', 'source_unknown'),
    ('https://civitai.com/models/abc', 'source_bad_id'),
    ('https://civitai.com/models/٤٢', 'source_bad_id'),
    ('https://civitai.com/models/0', 'source_bad_id'),
    ('https://civitai.com/models/4201?modelVersionId=x', 'source_bad_id'),
    ('https://civitai.com/models/99999999999', 'source_bad_id'),
    ('https://civitai.com/api/v1/images', 'source_unknown'),
    ('https://civitai.com/api/v1/tags', 'source_unknown'),
    ('https://civitai.com/api/trpc/x', 'source_unknown'),
    ('https://example.org/models/4201', 'source_other_site'),
    ('example.org/models/4201', 'source_other_site'),
    ('https://civitai.com.example.org/models/4201', 'source_other_site'),
    ('https://huggingface.co/a/b', 'source_other_site'),
    ('https://civitai.com@example.org/models/4201', 'source_unknown'),
    ('https://user:pass@civitai.com/models/4201', 'source_unknown'),
    ('https://ⓒivitai.com/models/4201', 'source_unknown'),
    ('https://civitai.com:99999/models/4201', 'source_unknown'),
    ('http://[::1/models/4201', 'source_unknown'),
    ('ftp://civitai.com/models/4201', 'source_unknown'),
    ('javascript:alert(1)', 'source_unknown'),
    ('file:///etc/passwd', 'source_unknown'),
    ('C:\\models\\4201', 'source_unknown'),
    ('/etc/passwd', 'source_unknown'),
    ('urn:air:sdxl:lora:huggingface:1@2', 'source_unknown'),
    ('urn:air:sdxl:lora:civitai:0@2', 'source_bad_id'),
]


@pytest.mark.parametrize(('text', 'key'), REFUSED, ids=[repr(text)[:50] for text, _ in REFUSED])
def test_what_cannot_be_opened_is_explained(text: str, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, BASE)
    assert caught.value.key == key
    assert len(caught.value.user_message) < 400


@pytest.mark.parametrize('key', ['source_unknown', 'source_other_site'])
def test_an_explanation_says_what_is_accepted(key: str) -> None:
    text = {'source_unknown': 'hello', 'source_other_site': 'https://example.org/a'}[key]
    with pytest.raises(SourceError, match='model, version, user, post or image'):
        parse_source(text, BASE)


@pytest.mark.parametrize(
    'text',
    [
        '<img src=x onerror=alert(1)>',
        'https://example.org/<script>alert(1)</script>',
        'https://example.org/?token=hidden',
        'example.org/a?token=hidden',
        'https://me:hidden@example.org/a',
        'line\nbreak \x1b[31m \u202e',
    ],
)
def test_an_explanation_repeats_no_markup_and_no_secret(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, BASE)
    message = caught.value.user_message
    assert message.isprintable() and not {'<', '>'} & set(message) and 'hidden' not in message


PIECES = st.sampled_from(
    'https:// http:// civitai.com www. / models posts images user api v1 download ? & = # @ : % \\'
    ' modelVersionId= modelId= username= urn:air:sdxl:lora:civitai: 4201 0 99999999999 [ ] \ud800'
    ' %00 %ff ٣ ① example.org .. 127.0.0.1 :80 :99999'.split(' ')
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map(''.join)))
@example('https://civitai.com/user/%ED%A0%80')
@example('//[')
@example('https://[]/models/1')
def test_whatever_is_pasted_is_a_source_or_an_explanation(text: str) -> None:
    try:
        source = parse_source(text, BASE)
    except SourceError as error:
        assert error.user_message and error.message_in('zh_TW')
        return
    assert source.kind in ('model', 'version', 'user', 'post', 'image')
    if source.kind == 'user':
        assert source.username.strip() and source.number == 0
    else:
        assert 1 <= source.number <= MAX_ID and 0 <= source.version_id <= MAX_ID
