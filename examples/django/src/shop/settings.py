from pathlib import Path

SECRET_KEY = "only signs the cookies of an example"
ALLOWED_HOSTS = ["*"]
DEBUG = False
ROOT_URLCONF = "shop.urls"
USE_TZ = True
DEFAULT_CHARSET = "utf-8"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [Path(__file__).parent / "templates"],
}]
