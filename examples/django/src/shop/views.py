from django import forms
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render

BOOKS = {
    1: {"title": "吾輩は猫である", "author": "夏目漱石", "price": 990},
    2: {"title": "銀河鉄道の夜", "author": "宮沢賢治", "price": 770},
}


class Order(forms.Form):
    book = forms.TypedChoiceField(choices=[(n, book["title"]) for n, book in BOOKS.items()], coerce=int)
    copies = forms.IntegerField(min_value=1, max_value=100, initial=1)


def shelf(request):
    return render(request, "shelf.html", {"shop": request.META["workers.env"].SHOP, "books": BOOKS, "form": Order()})


def read_book(request, book):
    if book not in BOOKS:
        raise Http404("no such book")
    return JsonResponse(BOOKS[book])


def basket(request):
    """GET: what is in it; POST: put something into it.  It is kept in a signed cookie."""
    if request.method == "POST":
        order = Order(request.POST)
        if not order.is_valid():
            return JsonResponse({"errors": order.errors}, status=400)
        request.session["basket"] = request.session.get("basket", []) + [order.cleaned_data]
        return redirect("/basket/")
    lines = [{"title": BOOKS[line["book"]]["title"], "copies": line["copies"]} for line in request.session.get("basket", [])]
    return JsonResponse({"basket": lines})
