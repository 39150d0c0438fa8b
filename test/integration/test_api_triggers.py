"""What leads to a worker, through the API: routes, zones, custom domains, schedules; quotas."""
import pytest

pytestmark = pytest.mark.asan

CODE = "from js import Response\ndef on_fetch(request, env):\n    return Response.new('%s')\n"
ABOUT = {"compatibility_date": "2024-03-29"}
SCRIPTS = "/accounts/$ACC/workers/scripts/"


@pytest.fixture(scope="module")
def node(shared_serve):
    node = shared_serve()
    for name in ("one", "two"):
        node.deploy(name, CODE % name, ABOUT)
    return node


def patterns(node, name):
    return [one["pattern"] for one in node.result("GET", SCRIPTS + name + "/routes")]


def test_routes_of_a_worker(node):
    made = node.result("PUT", SCRIPTS + "one/routes", [{"pattern": "example.com/api/*"}, "*.example.org/*",
                                                       {"pattern": "shop.example/x", "zone_name": "shop.example"},
                                                       {"pattern": "shop.example/y", "zone_id": "z" * 32}])
    assert [one["pattern"] for one in made] == ["example.com/api/*", "*.example.org/*", "shop.example/x", "shop.example/y"]
    assert made[0]["script"] == "one" and len(made[0]["id"]) == 32 and made[2]["zone_name"] == "shop.example"
    assert node.get("example.com", "/api/x").text == node.get("a.example.org", "/").text == "one"
    assert node.get("example.com", "/other").status == 404
    service = node.result("GET", "/accounts/$ACC/workers/services/one/environments/production/routes?show_zonename=true")
    assert service == made
    for wrong in ([{"pattern": "a b"}], [{}], [7], {}, [{"pattern": "*/*"}], [{"pattern": "example.com:80/"}]):
        assert node.api("PUT", SCRIPTS + "one/routes", wrong).status == 400, wrong
    assert len(patterns(node, "one")) == 4  # nothing of a wrong list is taken
    # What the list does not name any more goes; another worker of the account may take a pattern over.
    node.result("PUT", SCRIPTS + "two/routes", [{"pattern": "example.com/api/*"}])
    assert node.get("example.com", "/api/x").text == "two"
    assert "example.com/api/*" not in patterns(node, "one")
    node.result("PUT", SCRIPTS + "one/routes", [])
    assert patterns(node, "one") == [] and node.get("a.example.org", "/").status == 404
    assert node.api("PUT", SCRIPTS + "none/routes", []).codes == [10007]


def test_zones_are_names(node):
    zone = node.result("GET", "/zones?name=zoned.example&account.id=" + node.account["id"])[0]
    assert zone["name"] == "zoned.example" and len(zone["id"]) == 32
    assert node.result("GET", "/zones?name=ZONED.example")[0]["id"] == zone["id"]
    assert node.result("GET", "/zones?name=zoned.example&account.id=" + "0" * 32) == []
    assert node.result("GET", "/zones") == [] and node.result("GET", "/zones?name=zoned.example&page=2") == []
    routes = "/zones/%s/workers/routes" % zone["id"]
    made = node.result("POST", routes, {"pattern": "zoned.example/*", "script": "one"})
    assert node.get("zoned.example").text == "one"
    node.result("PUT", SCRIPTS + "two/routes", ["sub.zoned.example/*", "elsewhere.example/*"])
    listed = {one["pattern"]: one["script"] for one in node.result("GET", routes)}
    assert listed == {"zoned.example/*": "one", "sub.zoned.example/*": "two"}
    assert node.api("POST", routes, {"pattern": "zoned.example/*", "script": "two"}).status == 409
    assert node.api("POST", routes, {"pattern": "zoned.example/a", "script": "none"}).codes == [10007]
    assert node.result("DELETE", routes + "/" + made["id"]) == {"id": made["id"]}
    assert node.api("DELETE", routes + "/" + made["id"]).status == 404
    assert node.get("zoned.example").status == 404


def test_custom_domains(node):
    path = SCRIPTS + "one/domains/"
    origins = [{"hostname": "Shop.Example.com", "zone_name": "example.com"}]
    changes = node.result("POST", path + "changeset?replace_state=true", origins)
    assert [one["hostname"] for one in changes["added"]] == ["shop.example.com"]
    assert changes["updated"] == changes["removed"] == changes["conflicting"] == []
    body = {"override_scope": True, "override_existing_origin": True, "override_existing_dns_record": True, "origins": origins}
    made = node.result("PUT", path + "records", body)[0]
    assert made["hostname"] == "shop.example.com" and made["service"] == "one" and made["zone_name"] == "example.com"
    assert node.get("shop.example.com", "/any/path").text == "one"
    domains = "/accounts/$ACC/workers/domains"
    assert node.result("GET", domains + "/records/" + made["id"]) == made
    assert node.result("GET", domains + "/records?page=0&per_page=5&service=one&environment=production") == [made]
    assert node.result("GET", domains + "?hostname=none.example") == []
    changes = node.result("POST", SCRIPTS + "two/domains/changeset?replace_state=true", origins)
    assert [(one["id"], one["modified"]) for one in changes["updated"]] == [(made["id"], True)]
    node.result("PUT", SCRIPTS + "two/domains/records", body)
    assert node.get("shop.example.com").text == "two"
    assert node.result("GET", SCRIPTS + "one/domains/records") == []
    other = node.result("PUT", domains, {"hostname": "other.example.com", "service": "one", "environment": "production"})
    assert node.get("other.example.com").text == "one"
    node.result("DELETE", domains + "/" + other["id"])
    assert node.get("other.example.com").status == 404
    for wrong in ([{"hostname": "*.example.com"}], [{"hostname": "a/b"}], [{}], {"origins": 1}, 7):
        assert node.api("PUT", path + "records", wrong).status == 400, wrong
    assert node.api("GET", domains + "/records/" + "0" * 32).status == 404


def test_schedules(node):
    made = node.result("PUT", SCRIPTS + "one/schedules", [{"cron": "*/5 * * * *"}, {"cron": "0 9 * * MON-FRI"}])
    assert [one["cron"] for one in made["schedules"]] == ["*/5 * * * *", "0 9 * * MON-FRI"]
    assert made["schedules"][0]["created_on"].endswith("Z")
    again = node.result("PUT", SCRIPTS + "one/schedules", {"schedules": [{"cron": "*/5 * * * *"}]})
    assert again["schedules"] == made["schedules"][:1] == node.result("GET", SCRIPTS + "one/schedules")["schedules"]
    for wrong in ([{"cron": "61 * * * *"}], [{"cron": "* * * *"}], [{}], [1], "x"):
        said = node.api("PUT", SCRIPTS + "one/schedules", wrong)
        assert said.status == 400, wrong
    assert node.api("PUT", SCRIPTS + "one/schedules", [{"cron": "nonsense"}]).codes == [10100]
    assert node.result("PUT", SCRIPTS + "one/schedules", []) == {"schedules": []}


def test_quotas(node):
    for path in ("/accounts/$ACC/corral/quota", SCRIPTS + "one/quota"):
        assert node.result("GET", path)["requests_per_day"] is None
        assert node.result("PUT", path, {"requests_per_day": 1000})["requests_per_day"] == 1000
        assert node.result("PUT", path, {"cpu_ms": 50}) == dict(node.result("GET", path), requests_per_day=1000, cpu_ms=50)
        assert node.result("PUT", path, {"requests_per_day": None, "cpu_ms": None})["cpu_ms"] is None
    node.result("PUT", SCRIPTS + "one/quota", {"requests_per_day": 0})
    assert node.get("one.main.test").text == "one"
    assert node.api("GET", SCRIPTS + "none/quota").codes == [10007]
