from django.urls import path

from . import views

urlpatterns = [
    path("", views.shelf),
    path("books/<int:book>/", views.read_book),
    path("basket/", views.basket),
]
