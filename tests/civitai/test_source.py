"""What people paste, and which gallery it means or why it is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given, settings, strategies as st

from scripts.civitai_manager_libs.civitai.gallery import PERIODS, SORTS, TYPES
from scripts.civitai_manager_libs.civitai.pasted import MAX_ID
from scripts.civitai_manager_libs.civitai.source import GallerySource, address_of, parse_source
from scripts.civitai_manager_libs.errors import SourceError

BASE = 'https://civitai.com'
DEMO = 'http://127.0.0.1:7000'


def model(number: int, version: int = 0, **wishes: Any) -> GallerySource:
    return GallerySource('model', number, version, **wishes)


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
    ('https://civitai.com/user/some%20one', GallerySource('user', username='some one')),
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
    ('https://civitai.com/user/', 'source_unknown'),
    ('https://civitai.com/user/%20', 'source_unknown'),
    ('https://civitai.com/models/abc', 'source_bad_id'),
    ('https://civitai.com/models/٤٢', 'source_bad_id'),
    ('https://civitai.com/models/0', 'source_bad_id'),
    ('https://civitai.com/models/4201?modelVersionId=x', 'source_bad_id'),
    ('https://civitai.com/models/99999999999', 'source_bad_id'),
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
    ('0123456789abcdef' * 2, 'source_is_key'),
    ('0123456789ABCDEF' * 2, 'source_is_key'),
    ('Authorization: Bearer ' + '0123456789abcdef' * 2, 'source_is_key'),
    ('token=' + '0123456789abcdef' * 2, 'source_is_key'),
    ('@' + '0123456789abcdef' * 2, 'source_is_key'),
    ('01234567\u00ad89abcdef' + '0123456789abcdef', 'source_is_key'),
    ('https://civitai.com/user/%30' + '123456789abcdef0123456789abcdef', 'source_is_key'),
    ('https://civitai.com/images?baseModels=' + '0123456789abcdef' * 2, 'source_is_key'),
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


# -- galleries of the address bar ---------------------------------------------------------------


def of_user(name: str = 'wren_ash', **wishes: Any) -> GallerySource:
    return GallerySource('user', username=name, **wishes)


def of_all(type: str = 'image', **wishes: Any) -> GallerySource:
    return GallerySource('images', type=type, **wishes)


LISTS = [
    # of nobody in particular
    ('/images', of_all()),
    ('/images/', of_all()),
    ('/videos', of_all('video')),
    ('/images?types=video', of_all('video')),
    ('/images?types=audio', of_all('audio')),
    ('/images?tags=81', of_all(tags=(81,))),
    ('/images?tags=81&tags=5207', of_all(tags=(81, 5207))),
    ('/images?tags=81,5207,81', of_all(tags=(81, 5207))),
    ('/videos?tags=81&period=Day', of_all('video', tags=(81,), period='Day')),
    ('/images?sort=Most+Comments&period=Month', of_all(sort='Most Comments', period='Month')),
    ('/images?sort=most%20collected&period=YEAR', of_all(sort='Most Collected', period='Year')),
    ('/images?baseModels=Pony', of_all(base_models=('Pony',))),
    (
        '/images?baseModels=SDXL+1.0&baseModels=Flux.1+D',
        of_all(base_models=('SDXL 1.0', 'Flux.1 D')),
    ),
    ('/images?view=feed&utm_source=x&cursor=5&limit=9&sort=', of_all()),
    ('/images?followed=false&withMeta=false', of_all()),
    ('/gallery?sort=Newest', of_all(sort='Newest')),
    ('/api/v1/images', of_all('')),
    ('/api/v1/images?withMeta=true&nsfw=X&limit=5', of_all('')),
    (
        '/api/v1/images?type=video&baseModels=Pony,Other',
        of_all('video', base_models=('Pony', 'Other')),
    ),
    # of something
    ('/images?modelVersionId=90011', GallerySource('version', 90011)),
    ('/images?modelId=77', model(77)),
    ('/images?modelId=77&amp;modelVersionId=90011', model(77, 90011)),
    ('/images?modelVersionId=90011&modelId=77&sort=Newest', model(77, 90011, sort='Newest')),
    (
        '/images?modelVersionId=90011&username=wren_ash',
        GallerySource('version', 90011, username='wren_ash'),
    ),
    ('/images?modelVersionId=90011&prioritizedUserIds=4', GallerySource('version', 90011)),
    ('/videos?modelVersionId=90011', GallerySource('version', 90011, type='video')),
    ('/images?postId=640', GallerySource('post', 640)),
    ('/images?imageId=88', GallerySource('image', 88)),
    ('/images?username=wren_ash', of_user()),
    ('/videos?username=wren_ash', of_user(type='video')),
    ('/images?username=two%20words', of_user('two words')),
    ('/images?userId=31', GallerySource('user', user_id=31)),
    ('/posts?username=wren_ash&period=Week', of_user(period='Week')),
    ('/api/v1/images?userId=31&tags=6', GallerySource('user', user_id=31, tags=(6,))),
    ('/api/v1/images?postId=640&type=video', GallerySource('post', 640, type='video')),
    ('/api/v1/images?ids=9,8,9', GallerySource('images', ids=(9, 8))),
    ('/api/v1/images?ids=9', GallerySource('image', 9)),
    ('/gallery/88?modelId=77&modelVersionId=90011', GallerySource('image', 88)),
    ('/images/88?tags=4&sort=Nothing', GallerySource('image', 88)),
    ('/models/77?sort=Oldest', model(77, sort='Oldest')),
    ('/api/v1/posts/640', GallerySource('post', 640)),
    ('/api/v1/model-versions/mini/90011?modelFileId=3', GallerySource('version', 90011)),
    ('/api/v1/model-versions/by-hash/0A1B2C3D4E', GallerySource('version', hash='0a1b2c3d4e')),
    # tabs of a user
    ('/user/wren_ash', of_user()),
    ('/user/wren_ash/', of_user()),
    ('/user/wren_ash/posts', of_user()),
    ('/user/wren_ash/images', of_user(type='image')),
    ('/User/wren_ash/Videos', of_user(type='video')),
    ('/user/WREN_ash/images?section=images', of_user('WREN_ash', type='image')),
    ('/user/wren_ash/videos?sort=Most+Reactions', of_user(type='video', sort='Most Reactions')),
    ('/user/wren_ash/posts?period=Day&tags=7', of_user(period='Day', tags=(7,))),
    ('/user/wren_ash?baseModels=Pony', of_user(base_models=('Pony',))),
    ('/user/wren_ash/images?types=image', of_user(type='image')),
    ('/user/wren_ash?type=video', of_user(type='video')),
    ('/user/wren_ash/posts?types=video&type=video', of_user(type='video')),
    ('/user/wren_ash?username=Wren_Ash', of_user()),
    ('/user/wren_ash?userId=31', of_user(user_id=31)),
    (
        '/user/wren_ash/images?modelVersionId=9',
        GallerySource('version', 9, username='wren_ash', type='image'),
    ),
    ('/user/wren_ash/posts?postId=9', GallerySource('post', 9, username='wren_ash')),
    ('/user/wren_ash?modelId=9&modelVersionId=8', model(9, 8, username='wren_ash')),
    ('/user/wren_ash/videos?modelId=9', model(9, username='wren_ash', type='video')),
    ('/user/wren_ash/images?imageId=88', GallerySource('image', 88)),
    ('/user/wren_ash?ids=9,8', GallerySource('images', ids=(9, 8), username='wren_ash')),
    # names of base models in any case; of an unknown one nobody can tell
    ('/images?baseModels=pony', of_all(base_models=('Pony',))),
    ('/images?baseModels=sdxl+1.0,FLUX.1+d', of_all(base_models=('SDXL 1.0', 'Flux.1 D'))),
    ('/user/wren_ash?baseModels=PONY&baseModels=pony', of_user(base_models=('Pony',))),
    ('/videos?baseModels=wan+video', of_all('video', base_models=('Wan Video',))),
    ('/images?baseModels=brand+NEW', of_all(base_models=('brand NEW',))),
    ('/api/v1/model-versions/by-hash/0xAABBCCDDEE', GallerySource('version', hash='aabbccddee')),
    ('/api/v1/model-versions/by-hash/0X0A1B2C3D', GallerySource('version', hash='0a1b2c3d')),
    (
        f'/api/v1/images?ids={",".join(map(str, range(1, 101)))},1',
        GallerySource('images', ids=tuple(range(1, 101))),
    ),
    # one thing, narrowed down
    ('/videos?type=video&sort=Newest', of_all('video', sort='Newest')),
    ('/videos?imageId=88', GallerySource('image', 88)),
    (
        '/posts/5?type=video&tags=4&sort=Newest',
        GallerySource('post', 5, type='video', tags=(4,), sort='Newest'),
    ),
    ('/api/v1/posts/5?period=Week', GallerySource('post', 5, period='Week')),
    ('/posts/5?modelVersionId=9', GallerySource('post', 5, 9)),
    ('/model-versions/5?type=video', GallerySource('version', 5, type='video')),
    ('/api/v1/model-versions/5?sort=Oldest', GallerySource('version', 5, sort='Oldest')),
    ('/api/v1/model-versions/mini/5?tags=4', GallerySource('version', 5, tags=(4,))),
    (
        '/api/v1/model-versions/by-hash/0a1b2c3d4e?sort=Newest&type=video',
        GallerySource('version', hash='0a1b2c3d4e', sort='Newest', type='video'),
    ),
    ('/models/5?username=wren_ash', model(5, username='wren_ash')),
    # lists of models, which are no galleries
    ('/models', GallerySource('models')),
    ('/models?query=castle&sort=Highest+Rated', GallerySource('models')),
    ('/tag/castle', GallerySource('models')),
    ('/search/models?query=castle', GallerySource('models')),
    ('/user/wren_ash/models?sort=Newest', GallerySource('models', username='wren_ash')),
    ('/api/v1/models?username=wren_ash', GallerySource('models', username='wren_ash')),
]


@pytest.mark.parametrize(('path', 'expected'), LISTS, ids=[path[:60] for path, _ in LISTS])
def test_a_gallery_of_the_address_bar_is_what_its_parameters_say(
    path: str, expected: GallerySource
) -> None:
    for base in ('https://civitai.com', 'https://Civitai.red', DEMO):
        assert parse_source(base + path, DEMO) == expected


@pytest.mark.parametrize(('path', 'expected'), LISTS, ids=[path[:60] for path, _ in LISTS])
def test_the_address_of_a_gallery_leads_to_it_again(path: str, expected: GallerySource) -> None:
    assert parse_source(address_of(expected, BASE), BASE) == expected


NO_GALLERIES = [
    ('/user/wren_ash/images?section=reactions', 'source_liked', 'other people'),
    ('/user/wren_ash/videos?section=Reactions', 'source_liked', 'other people'),
    ('/images?reactions=Heart', 'source_liked', 'other people'),
    ('/user/wren_ash/collections', 'source_collection', 'in a collection'),
    ('/collections', 'source_collection', 'in a collection'),
    ('/collections/55?sort=Newest', 'source_collection', 'in a collection'),
    ('/images?collectionId=55', 'source_collection', 'in a collection'),
    ('/api/v1/images?collectionId=55', 'source_collection', 'in a collection'),
    ('/api/v1/collections/55', 'source_collection', 'in a collection'),
    ('/user/wren_ash/articles', 'source_user_tab', '"articles"'),
    ('/user/wren_ash/followers', 'source_user_tab', '"followers"'),
    ('/user/account', 'source_user_tab', '"account"'),
    ('/posts', 'source_post_list', 'one post'),
    ('/posts?tags=4', 'source_post_list', 'one post'),
    ('/search/images?query=castle', 'source_search', 'search for pictures'),
    ('/search/videos?query=castle', 'source_search', 'search for pictures'),
    ('/generate', 'source_generator', 'to you alone'),
    ('/generate?model=4', 'source_generator', 'to you alone'),
    ('/images?tools=5&techniques=2', 'source_filter', 'techniques, tools'),
    ('/videos?followed=true', 'source_filter', 'followed'),
    ('/images?withMeta=true', 'source_filter', 'withMeta'),
    ('/images?tag=castle', 'source_filter', 'tag'),
    ('/user/wren_ash/images?fromPlatform=true', 'source_filter', 'fromPlatform'),
    ('/images?aspectRatios=portrait', 'source_filter', 'aspectRatios'),
    ('/videos?poiOnly=true', 'source_filter', 'poiOnly'),
    ('/images?sort=Random', 'source_value', 'Most Reactions, Most Comments'),
    ('/user/wren_ash/images?sort=Relevance', 'source_value', '"Relevance"'),
    ('/images?period=Decade', 'source_value', 'AllTime, Year, Month, Week, Day'),
    ('/images?types=image&types=video', 'source_value', '"image, video"'),
    ('/api/v1/images?type=gif', 'source_value', 'image, video, audio'),
    ('/images?tags=castle', 'source_bad_id', 'number'),
    ('/images?userId=x', 'source_bad_id', 'number'),
    ('/api/v1/images?ids=4,0', 'source_bad_id', 'number'),
    ('/user/wren_ash/images?types=video', 'source_contradiction', 'both "image" and "video"'),
    ('/user/wren_ash/videos?types=image', 'source_contradiction', 'both "video" and "image"'),
    ('/videos?type=image', 'source_contradiction', 'both "video" and "image"'),
    ('/images?types=image&type=audio', 'source_contradiction', 'both "image" and "audio"'),
    ('/user/wren_ash?username=otter', 'source_contradiction', 'both "wren_ash" and "otter"'),
    ('/images?postId=7&modelId=5', 'source_contradiction', 'both "postId" and "modelId"'),
    ('/api/v1/images?ids=5,6&modelId=7', 'source_contradiction', 'both "ids" and "modelId"'),
    ('/api/v1/images?imageId=5&ids=6,7', 'source_contradiction', 'both "imageId" and "ids"'),
    ('/model-versions/5?sort=Random', 'source_value', '"Random"'),
    ('/user/wren_ash?modelVersionId=x', 'source_bad_id', 'number'),
    (f'/images?ids={",".join(map(str, range(1, 102)))}', 'source_too_many', '101 pictures'),
    ('/api/v1/images?' + '&'.join(f'ids={n}' for n in range(1, 151)), 'source_too_many', '150'),
    ('/api/v1/model-versions/by-hash/0x12', 'source_unknown', 'nothing this gallery can open'),
    ('/api/v1/model-versions/by-hash/xyz', 'source_unknown', 'nothing this gallery can open'),
]


@pytest.mark.parametrize(
    ('path', 'key', 'words'), NO_GALLERIES, ids=[path[:60] for path, *_ in NO_GALLERIES]
)
def test_what_would_be_another_gallery_is_refused_with_the_reason(
    path: str, key: str, words: str
) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(BASE + path, BASE)
    assert caught.value.key == key
    assert words in caught.value.user_message


# -- marks and words around a link --------------------------------------------------------------

LINK = 'https://civitai.com/models/77?modelVersionId=90011'
WRAPPED = [
    f'"{LINK}"',
    f"'{LINK}'",
    f'`{LINK}`',
    f'“{LINK}”',
    f'「{LINK}」',
    f'<{LINK}>',
    f'({LINK})',
    f'[{LINK}]',
    f'（{LINK}）',
    f'**{LINK}**',
    f'{LINK})',
    f'{LINK},',
    f'{LINK}.',
    f'{LINK}!',
    f'{LINK}。',
    f'{LINK}\\',
    f'"{LINK}",',
    f'({LINK}).',
    f'\u200b{LINK}\ufeff',
    f'- {LINK}',
    f'2. {LINK}',
    f'> {LINK}',
    f'see {LINK} for more',
    f'see "{LINK}", it is good',
    f'the model:{LINK}',
    f'模型：{LINK}。',
    f'[name of it]({LINK})',
    f'[{LINK}]({LINK})',
    f'<a href="{LINK}">{LINK}</a>',
    f'{LINK}\nGreat model!',
    f'Great model!\r\n\r\n{LINK}\r\n',
    f'{LINK}\n{LINK}',
    f'{LINK}{LINK}',
    f'hhttps{LINK[5:]}',
    '"civitai.com/models/77?modelVersionId=90011"',
    'on civitai.com/models/77?modelVersionId=90011, say',
    '"urn:air:sdxl:lora:civitai:77@90011"',
    'AIR: urn:air:sdxl:lora:civitai:77@90011.',
    'AIR:urn:air:sdxl:lora:civitai:77@90011+4',
    'link:civitai.com/models/77?modelVersionId=90011',
    f'{LINK} | Civitai',
    f'《{LINK}》',
    f'_{LINK}_',
    f'__{LINK}__.',
    f'___{LINK}___',
    f'~{LINK}~',
    f'~~{LINK}~~, it was',
    f'"_{LINK}_"',
    f'_see {LINK}_',
    '_civitai.com/models/77?modelVersionId=90011_',
    '_urn:air:sdxl:lora:civitai:77@90011_',
    f'url={LINK}',
    f'URL={LINK}&',
    f'Link={LINK} is it',
    f'(model-page="{LINK}")',
    f'<a href={LINK}>here</a>',
    'url=civitai.com/models/77?modelVersionId=90011',
    f'[![a mill](https://image.civitai.com/xG1/width=450/5.jpeg)]({LINK})',
    f'![](https://example.org/logo.png) {LINK}',
    f'<a href="{LINK}"><img src="https://image.civitai.com/xG1/5.jpeg"></a>',
]


@pytest.mark.parametrize('text', WRAPPED, ids=repr)
def test_marks_and_words_around_a_link_are_left_out(text: str) -> None:
    assert parse_source(text, BASE) == model(77, 90011)


@pytest.mark.parametrize('text', ['4201,', '"4201"', '(4201)', '4201.', '\u20284201', '4201\n4201'])
def test_marks_around_an_id_are_left_out(text: str) -> None:
    assert parse_source(text, BASE) == model(4201)


SEVERAL = [
    'https://civitai.com/models/77\nhttps://civitai.com/models/78',
    'https://civitai.com/models/77\r\n\r\nhttps://civitai.com/models/78\r\n',
    'https://civitai.com/models/77https://civitai.com/models/78',
    'https://civitai.com/images?postId=77https://civitai.com/posts/78',
    'https://civitai.com/models/77 https://civitai.com/models/78',
    '<https://civitai.com/models/77>, <https://civitai.com/models/78>',
    'civitai.com/models/77, civitai.com/models/78',
    'https://civitai.com/models/77\n4201',
    'https://civitai.com/models/77\nhttps://example.org/',
    'https://civitai.com/models/77/https://civitai.com/models/78',
    'https://www.civitai.red/models/77/https://civitai.com/models/78',
    'https://example.org/ https://civitai.com/models/77',
    'https://civitai.com/user/wren https://civitai.com/user/otter',
    'https://civitai.com/user/wren, https://civitai.com/user/otter',
    'url=https://civitai.com/models/77 url=https://civitai.com/models/78',
    '![](https://civitai.com/images/5) ![](https://civitai.com/images/6)',
    '4201\n4202',
    '4201 4202',
    '4201, 4202',
    '4201、4202',
    'urn:air:sdxl:lora:civitai:77@9 urn:air:sdxl:lora:civitai:78@9',
    'civitai:77@9\ncivitai:78@9',
]


@pytest.mark.parametrize('text', SEVERAL, ids=repr)
def test_several_links_are_told_and_none_is_taken(text: str) -> None:
    for base in (BASE, 'https://mirror.example'):
        with pytest.raises(SourceError, match='one at a time'):
            parse_source(text.replace(BASE, base, 1), base)


@pytest.mark.parametrize(
    ('text', 'name'),
    [
        ('https://civitai.com/user/two words', 'two words'),
        ('https://civitai.com/images?username=two words', 'two words'),
        ('https://civitai.com/user/wren(ash)', 'wren(ash)'),
        ('(https://civitai.com/user/wren(ash))', 'wren(ash)'),
        ('https://civitai.com/user/wren_,', 'wren_'),
        ('https://civitai.com/user/wren%2Fash', 'wren/ash'),
        ('"https://civitai.com/user/two words".', 'two words'),
        ('https://civitai.com/user/two words/images', 'two words'),
        ('https://civitai.com/user/two words?sort=Newest', 'two words'),
        ('https://civitai.com/images?username=two words&sort=Newest', 'two words'),
        ('https://civitai.com/user/wren_', 'wren_'),
        ('https://civitai.com/user/_wren_', '_wren_'),
        ('_https://civitai.com/user/wren__', 'wren_'),
        ('https://civitai.com/user/~wren~', '~wren~'),
    ],
)
def test_the_name_of_a_user_is_never_cut(text: str, name: str) -> None:
    assert parse_source(text, BASE).username == name


@pytest.mark.parametrize(
    'text',
    [
        'https://civitai.com/user/wren_ash is great',
        'https://civitai.com/user/wren_ash, look',
        'https://civitai.com/user/wren_ash; look',
        'https://civitai.com/user/wren_ash - cool pictures',
        'https://civitai.com/user/wren_ash – pictures',
        'https://civitai.com/user/wren_ash (cool)',
        'https://civitai.com/user/wren_ash | Civitai',
        'https://civitai.com/user/wren_ash\tpictures',
        'https://civitai.com/user/wren_ash\u3000好看',
        'https://civitai.com/user/wren_ash. Look!',
        'https://civitai.com/user/wren_ash and/or others',
        'see https://civitai.com/user/wren_ash there',
        'wren: civitai.com/user/wren_ash pictures',
        '[wren](https://civitai.com/user/wren_ash) pictures',
        'https://civitai.com/user/wren_ash/posts and that',
        'https://civitai.com/api/v1/images?username=wren_ash is great',
        'https://civitai.com/user/wren_ash?sort= of pictures',
        'https://civitai.com/user/wren_ash great pictures?sort=Newest',
    ],
    ids=repr,
)
def test_words_behind_the_link_of_a_user_are_not_the_name(text: str) -> None:
    assert parse_source(text, BASE) == of_user()


@pytest.mark.parametrize(
    'text',
    [
        'https://web.archive.org/web/2023/https://civitai.com/models/4201',
        'http://web.archive.org/web/2023id_/http://www.civitai.com/models/4201',
        'see https://web.archive.org/https://civitai.com/models/4201, there',
        'https://example.org/?u=https://civitai.com/models/4201',
    ],
)
def test_an_address_of_another_site_that_holds_one_of_civitai_is_called_that(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, BASE)
    assert caught.value.key == 'source_other_site'


# -- files and AIRs -----------------------------------------------------------------------------

UUID = '4f0d2c11-7a3e-4c55-9b1f-0a1b2c3d4e5f'
FILES = [
    f'https://image.civitai.com/xG1nkq/{UUID}/original=true/{UUID}.jpeg',
    f'https://image.civitai.com/xG1nkq/{UUID}/transcode=true,width=450/a-name.mp4',
    f'https://imagecache.civitai.com/xG1nkq/{UUID}/width=450/{UUID}',
    f'https://image-b2.civitai.com/file/civitai-media-cache/{UUID}/original',
    f'https://image-b3.civitai.com/file/civitai-media-cache/{UUID}/original',
    f'image.civitai.com/xG1nkq/{UUID}/original=true/{UUID}.jpeg',
    f'{DEMO}/xG1nkq/{UUID}/original=true/{UUID}.jpeg',
    f'{DEMO}/file/civitai-media-cache/{UUID}/original',
    f'https://image.civitai.com/xG1nkq/{UUID}/original=true/99999999999.jpeg',
    f'https://image.civitai.com/xG1nkq/{UUID}/original=true/00019.png',
    'https://image.civitai.com/',
]


@pytest.mark.parametrize('text', FILES)
def test_the_address_of_a_picture_file_is_called_that(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, DEMO)
    assert caught.value.user_message.startswith('This is the address of a picture file; paste')


@pytest.mark.parametrize(
    'text',
    [
        f'https://image.civitai.com/xG1nkq/{UUID}/width=450/314159.jpeg',
        f'https://image.civitai.com/xG1nkq/{UUID}/original=true/314159.mp4?x=1',
        f'https://imagecache.civitai.com/xG1nkq/{UUID}/width=450/314159',
        f'<{DEMO}/xG1nkq/{UUID}/anim=false,width=450/314159.webp>',
    ],
)
def test_a_file_that_is_named_by_the_id_of_its_picture_opens_the_picture(text: str) -> None:
    assert parse_source(text, DEMO) == GallerySource('image', 314159)


@pytest.mark.parametrize('site', ['https://education.civitai.com/a', 'https://auth.civitai.com/b'])
def test_other_sites_of_civitai_are_not_called_strangers(site: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(site, BASE)
    assert caught.value.key == 'source_unknown'


@pytest.mark.parametrize(
    ('tail', 'version'),
    [
        ('', 0),
        ('@90011', 90011),
        ('@90011+412', 90011),
        ('@90011:unet', 90011),
        ('@90011.safetensors', 90011),
        ('@90011+412:text-encoder.gguf', 90011),
        ('+412', 0),
        (':unet', 0),
        ('.ckpt', 0),
        (':unet.ckpt', 0),
    ],
)
@pytest.mark.parametrize(
    'head', ['urn:air:flux1:lora:', 'air:sd3_x:embedding:', 'zimage-turbo:vae:', 'lora:', '']
)
def test_an_air_names_a_model_and_perhaps_its_version(head: str, tail: str, version: int) -> None:
    assert parse_source(f'{head}civitai:77{tail}', BASE) == model(77, version)


AIRS = [
    ('urn:air:sdxl:lora:civitai:77@0', 'source_bad_id'),
    ('urn:air:sdxl:lora:civitai:99999999999@5', 'source_bad_id'),
    ('urn:air:sdxl:lora:civitai:٧٧@5', 'source_unknown'),
    ('urn:air:sdxl:lora:huggingface:77@5', 'source_unknown'),
    ('urn:air:sdxl:lora:civitai:77@', 'source_unknown'),
    ('urn:air:sdxl:lora:civitai:77@5+x', 'source_unknown'),
]


@pytest.mark.parametrize(('text', 'key'), AIRS, ids=[text for text, _ in AIRS])
def test_what_is_no_air_is_explained(text: str, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, BASE)
    assert caught.value.key == key


# -- anything at all ----------------------------------------------------------------------------

PIECES = st.sampled_from(
    'https:// http:// civitai.com image.civitai.com www. / models posts images videos user tag '
    'search collections api v1 download ? & = # @ : % \\ modelVersionId= modelId= username= ids= '
    'tags= sort= Newest period=Week types=video &amp; section=reactions by-hash mini '
    'urn:air:sdxl:lora:civitai: 4201 0 99999999999 [ ] ( ) " < > , \ud800 %00 %ff ٣ ① example.org '
    f'.. 127.0.0.1 :80 :99999 {UUID}'.split(' ')
)
PASTED = st.one_of(
    st.text(),
    st.lists(st.one_of(PIECES, st.sampled_from(' \n\t\u2028')), max_size=14).map(''.join),
)


@settings(deadline=None)
@given(PASTED)
@example('https://civitai.com/user/%ED%A0%80')
@example('//[')
@example('https://[]/models/1')
def test_whatever_is_pasted_is_a_source_or_an_explanation(text: str) -> None:
    try:
        source = parse_source(text, BASE)
    except SourceError as error:
        assert error.user_message and error.message_in('zh_TW')
        return
    assert all(0 <= number <= MAX_ID for number in (source.number, source.version_id))
    assert all(1 <= number <= MAX_ID for number in (*source.tags, *source.ids))
    named = {
        'user': source.username.strip() or source.user_id,
        'version': source.number or source.hash,
        'images': True,
        'models': True,
    }
    assert named.get(source.kind, source.kind in ('model', 'post', 'image') and source.number)


@settings(deadline=None)
@given(PASTED)
def test_what_can_be_opened_can_be_opened_in_quotes_too(text: str) -> None:
    try:
        source = parse_source(text, BASE)
    except SourceError:
        return
    assert parse_source(f'"{text}"', BASE) == parse_source(f'  <{text}>,\n', BASE) == source


NAMES = st.one_of(st.text(st.sampled_from('abcXYZ019_-')), st.text()).filter(
    lambda name: name == name.strip() and name.isprintable() and not name.endswith(('.', "'"))
)
WISHES = st.fixed_dictionaries(
    {},
    optional={
        'sort': st.sampled_from(SORTS),
        'period': st.sampled_from(PERIODS),
        'type': st.sampled_from(TYPES),
        'tags': st.lists(st.integers(1, MAX_ID), unique=True, max_size=3).map(tuple),
        'base_models': st.lists(
            st.sampled_from(['Pony', 'SDXL 1.0', 'Wan Video 14B i2v 480p']), unique=True
        ).map(tuple),
    },
)


@settings(deadline=None)
@given(
    st.sampled_from(['model', 'version', 'post', 'user', 'images']),
    st.integers(1, MAX_ID),
    st.integers(0, MAX_ID),
    NAMES.filter(bool),
    WISHES,
)
def test_the_address_of_any_gallery_leads_to_it_again(
    kind: str, number: int, version: int, name: str, wishes: dict[str, Any]
) -> None:
    narrowed = GallerySource(kind, **wishes)
    of_kind = {
        'model': {'number': number, 'version_id': version},
        'version': {'number': number},
        'post': {'number': number, 'version_id': version},
        'user': {'username': name},
    }
    source = replace(narrowed, **of_kind.get(kind, {}))
    assert parse_source(address_of(source, BASE), BASE) == source


# Paths change some names (a browser takes `..` for a step up); some are pages of the site itself.
USER_NAMES = (
    '.',
    '..',
    '...',
    'wren.',
    '.wren',
    'wren..',
    'a/b',
    'a\\b',
    '../models/4201',
    'wren ash',
    'wren+ash',
    'wren%2Fash',
    'wren%',
    'wren?tab=1',
    'wren#1',
    'wren&limit=1',
    'wren&amp;x',
    'wren=',
    'wren,ash',
    '(wren)',
    'wren)',
    '"wren"',
    '<wren>',
    "wren's",
    'wren!',
    'account',
    'Vault',
    'models',
    'images',
    'null',
    '4201',
    UUID,
    'https://civitai.com/models/4201',
    'civitai.com/models/4201',
    'urn:air:sdxl:model:civitai:4201',
    'ашь',
    '圖',
    '\u202ewren',
    '-_~',
)


@pytest.mark.parametrize('wishes', [{}, {'type': 'video'}, {'sort': 'Newest', 'type': 'image'}])
@pytest.mark.parametrize('kind', ['user', 'models'])
@pytest.mark.parametrize('name', USER_NAMES, ids=ascii)
def test_the_address_of_a_user_of_any_name_leads_there_again(
    name: str, kind: str, wishes: dict[str, Any]
) -> None:
    source = GallerySource(kind, username=name, **(wishes if kind == 'user' else {}))
    address = address_of(source, BASE)
    assert parse_source(address, BASE) == source
    assert parse_source(f'"{address}".', BASE) == source, 'with marks around it'
    path = urlsplit(address).path
    steps = [unquote(step) for step in path.split('/')]
    assert '.' not in steps and '..' not in steps, 'a browser would leave them out'


@pytest.mark.parametrize('models', [('SD 1.',), ('SDXL 1.0', 'Other...')], ids=str)
def test_whatever_an_address_ends_with_is_read_again(models: tuple[str, ...]) -> None:
    source = GallerySource('user', username='wren', base_models=models)
    assert parse_source(address_of(source, BASE), BASE) == source


# -- what else names a gallery -------------------------------------------------------------------

NAMED = [
    ('@wren_ash', GallerySource('user', username='wren_ash')),
    ('@Noor-Vale', GallerySource('user', username='Noor-Vale')),
    ('"@wren_ash"', GallerySource('user', username='wren_ash')),
    ('879DB523C3', GallerySource('version', hash='879db523c3')),
    ('0x9D40847D', GallerySource('version', hash='9d40847d')),
    ('sha256:' + 'ab' * 32, GallerySource('version', hash='ab' * 32)),
    ('0xdeadbeef', GallerySource('version', hash='deadbeef')),
]


@pytest.mark.parametrize(('text', 'expected'), NAMED, ids=[text for text, _ in NAMED])
def test_a_user_or_the_hash_of_a_file_can_be_named(text: str, expected: GallerySource) -> None:
    assert parse_source(text, BASE) == expected


@pytest.mark.parametrize(
    'text', ['@', '@a/b', '@two words', '@https://civitai.red', 'deadbeef', '1f', 'zz12345678']
)
def test_what_only_looks_like_that_is_none(text: str) -> None:
    with pytest.raises(SourceError):
        parse_source(text, BASE)
