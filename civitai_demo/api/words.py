"""The words that routes understand where a parameter has a list of them; `GET /enums` has most."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    """The names in a text, between commas."""
    return tuple(name.strip() for name in text.split(','))


MODEL_TYPES = _words("""
    Checkpoint, TextualInversion, Hypernetwork, AestheticGradient, LORA, LoCon, DoRA, Controlnet,
    Upscaler, MotionModule, VAE, TextEncoder, UNet, CLIPVision, Poses, Wildcards, Workflows,
    ComfyWorkflows, Detection, VisionLanguage, CLIP, LLM, Other
    """)
FILE_TYPES = _words("""
    Model, Text Encoder, Vision Encoder, Pruned Model, Negative, Training Data, VAE, Config,
    Archive, UNet, Diffusion Model, CLIPVision, ControlNet, Workflow, Upscaler, Enhancement LoRA,
    Other
    """)
BASE_MODELS = _words("""
    Anima, AuraFlow, Chroma, CogVideoX, Ernie, Flux.1 S, Flux.1 D, Flux.1 Krea, Flux.1 Kontext,
    Flux.2 D, Flux.2 Klein 9B, Flux.2 Klein 9B-base, Flux.2 Klein 4B, Flux.2 Klein 4B-base,
    Flux 3 Video, Grok, HappyHorse, HiDream, HiDream-O1, Hunyuan 1, Hunyuan Video, Ideogram 4.0,
    Boogu, Illustrious, Imagen4, Kolors, Krea 2, LTXV, LTXV2, LTXV 2.3, LTXV 2.5, Lens, Lumina,
    MageFlow, MAI, Mochi, Nano Banana, NoobAI, ODOR, OpenAI, Upscaler, Other, PixArt a, PixArt E,
    Playground v2, Pony, Pony V7, Qwen, Qwen 2, Qwen 3, Stable Cascade, SD 1.4, SD 1.5,
    SD 1.5 LCM, SD 1.5 Hyper, SD 2.0, SD 2.0 768, SD 2.1, SD 2.1 768, SD 2.1 Unclip, SD 3,
    SD 3.5, SD 3.5 Large, SD 3.5 Large Turbo, SD 3.5 Medium, SDXL 0.9, SDXL 1.0, SDXL 1.0 LCM,
    SDXL Lightning, SDXL Hyper, SDXL Turbo, SDXL Distilled, Reve, Seedream, SVD, SVD XT, Sora 2,
    Veo 3, Wan Video, Wan Video 1.3B t2v, Wan Video 14B t2v, Wan Video 14B i2v 480p,
    Wan Video 14B i2v 720p, Wan Video 2.2 TI2V-5B, Wan Video 2.2 I2V-A14B,
    Wan Video 2.2 T2V-A14B, Wan Video 2.5 T2V, Wan Video 2.5 I2V, Wan Image 2.7, Wan Video 2.7,
    ZImageTurbo, ZImageBase, Vidu Q1, MiniMax H3, Kling, Seedance, ACE Audio, PolyGen, Tripo,
    Hunyuan3D
    """)
# Known for what exists, no longer chosen for new models.
_RETIRED = _words("""
    Imagen4, Nano Banana, ODOR, OpenAI, Playground v2, Stable Cascade, SD 2.0 768, SD 2.1 768,
    SD 2.1 Unclip, SD 3, SD 3.5, SD 3.5 Large, SD 3.5 Large Turbo, SD 3.5 Medium, SDXL 0.9,
    SDXL 1.0 LCM, SDXL Turbo, SDXL Distilled, Seedream, SVD, SVD XT, Sora 2, Veo 3, Wan Video,
    Vidu Q1, Kling, Seedance, PolyGen, Tripo, Hunyuan3D
    """)
ACTIVE_BASE_MODELS = tuple(name for name in BASE_MODELS if name not in _RETIRED)
BASE_MODEL_TYPES = ('Standard', 'Inpainting', 'Refiner', 'Pix2Pix')

FILE_FORMATS = _words('SafeTensor, PickleTensor, GGUF, Diffusers, Core ML, ONNX, Other')
FILE_SIZES = ('full', 'pruned')

IMAGE_SORTS = _words('Most Reactions, Most Comments, Most Collected, Newest, Oldest, Random')
MODEL_SORTS = _words("""
    Highest Rated, Most Downloaded, Most Liked, Most Discussed, Most Collected, Most Images,
    Newest, Oldest
    """)
ARTICLE_SORTS = _words("""
    Most Bookmarks, Most Reactions, Most Comments, Most Collected, Newest, Recently Updated
    """)
PERIODS = _words('Day, Week, Month, Year, AllTime')
MEDIA_TYPES = ('image', 'video', 'audio')
CHECKPOINT_TYPES = ('Trained', 'Merge')
AVAILABILITIES = _words('Public, Unsearchable, Private, EarlyAccess')
MODEL_STATUSES = _words("""
    Draft, Training, Published, Scheduled, Unpublished, UnpublishedViolation, GatherInterest,
    Deleted
    """)
COMMERCIAL_USES = _words('None, Image, RentCivit, Rent, Sell')
