//! What programs see that speak HTTP themselves.

use serde_json::Value;

use crate::house::{FORM, House, read};

const JSON: &str = "content-type: application/json\r\n";
const TOKEN: &str = "/api/v1/oauth2/token";

struct Root {
    house: House,
    token: String,
}

impl Root {
    fn new() -> Self {
        let house = House::start();
        let token = house.token();
        Self { house, token }
    }

    fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (String, Value) {
        let headers = format!("authorization: Bearer {}\r\n{headers}", self.token);
        let (head, body) = self.house.http(method, path, &headers, body);
        (head, serde_json::from_str(&body).unwrap_or_default())
    }
}

fn status(head: &str) -> u16 {
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

fn error(house: &House, headers: &str, form: &str) -> (u16, String) {
    let (head, body) = house.http("POST", TOKEN, headers, form);
    assert!(head.contains("cache-control: no-store"), "{head}");
    (status(&head), serde_json::from_str::<Value>(&body).unwrap()["error"].as_str().unwrap().to_owned())
}

#[test]
fn tokens_are_fetched_as_rfc_6749_says() {
    let house = House::start();
    let bootstrap = read(&house.bootstrap());
    let password = bootstrap["root_password"].as_str().unwrap();
    let encoded = percent_encoding::utf8_percent_encode(password, percent_encoding::NON_ALPHANUMERIC);
    let (head, body) = house.http("POST", TOKEN, FORM, &format!("grant_type=password&username=root&password={encoded}&scope=x"));
    assert_eq!(status(&head), 200, "{body}");
    let token: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(token["token_type"], "Bearer");
    assert!(token["expires_in"].as_i64().unwrap() > 0);

    let refused = |form: &str| error(&house, FORM, form);
    assert_eq!(refused("grant_type=password&username=root&password=wrong-one-1"), (400, "invalid_grant".to_owned()));
    assert_eq!(refused("grant_type=password&username=root"), (400, "invalid_request".to_owned()));
    assert_eq!(refused("grant_type=client_credentials"), (401, "invalid_client".to_owned()));
    assert_eq!(refused("grant_type=client_credentials&client_id=a&client_secret=b"), (401, "invalid_client".to_owned()));
    assert_eq!(refused("grant_type=implicit"), (400, "unsupported_grant_type".to_owned()));
    assert_eq!(refused("grant_type=password&grant_type=password"), (400, "invalid_request".to_owned()));
    assert_eq!(refused(""), (400, "invalid_request".to_owned()));
    let both = format!("{FORM}authorization: Basic YTpi\r\n");
    assert_eq!(error(&house, &both, "grant_type=client_credentials&client_id=a&client_secret=b"), (400, "invalid_request".to_owned()));
    assert_eq!(error(&house, "", "grant_type=password"), (400, "invalid_request".to_owned()));
}

#[test]
fn nobody_is_told_to_sign_in() {
    let house = House::start();
    for headers in ["", "authorization: Bearer nonsense\r\n", "authorization: Basic cm9vdDp4\r\n", "authorization: Digest x\r\n"] {
        let (head, body) = house.http("GET", "/api/v1/whoami", headers, "");
        assert_eq!(status(&head), 401, "{headers}");
        assert!(head.contains("www-authenticate: bearer realm="), "{head}");
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(error["error"]["code"], "unauthenticated");
        assert!(head.contains(&format!("x-request-id: {}", error["error"]["request_id"].as_str().unwrap())), "{head}");
    }
    let (head, body) = house.http("GET", "/api/v1/openapi.json", "", "");
    assert_eq!(status(&head), 200);
    assert!(body.contains("/api/v1/users/{user}"));
}

#[test]
fn a_body_is_read_strictly() {
    let root = Root::new();
    let create = |headers: &str, body: &str| {
        let (head, answer) = root.http("POST", "/api/v1/users", headers, body);
        (status(&head), answer["error"]["field"].as_str().unwrap_or_default().to_owned())
    };
    // CVE-2019-16097 of Harbor: a field that is not offered makes its sender an administrator.
    assert_eq!(create(JSON, r#"{"name":"eve","kind":"root"}"#), (400, "kind".to_owned()));
    assert_eq!(create(JSON, r#"{"name":"eve","name":"eva"}"#), (400, "name".to_owned()));
    assert_eq!(create(JSON, "{}"), (400, "name".to_owned()));
    assert_eq!(create(JSON, r#"{"name":7}"#), (400, String::new()));
    assert_eq!(create(JSON, r#"{"name":"#), (400, String::new()));
    assert_eq!(create(JSON, &"[".repeat(100_000)), (400, String::new()));
    assert_eq!(create("", r#"{"name":"eve"}"#), (415, String::new()));
    assert_eq!(create("content-type: text/plain\r\n", r#"{"name":"eve"}"#), (415, String::new()));
    assert_eq!(create(JSON, &format!(r#"{{"name":"{}"}}"#, "e".repeat(300_000))), (413, String::new()));
    assert_eq!(create(JSON, r#"{"name":"eve"}"#), (201, String::new()));
}

#[test]
fn a_path_is_read_as_it_stands() {
    let root = Root::new();
    for path in
        ["/api/v1/users/", "/api/v1//users", "/api/v1/Users", "/api/v1/%75sers", "/api/v1/./users", "/api/v1/nothing", "/api/v1/users/%00"]
    {
        assert_eq!(status(&root.http("GET", path, "", "").0), 404, "{path}");
    }
    let (head, answer) = root.http("DELETE", "/api/v1/users", "", "");
    assert_eq!((status(&head), &answer["error"]["code"]), (405, &"method_not_allowed".into()));
    assert!(head.contains("allow: post, get"), "{head}");
}

#[test]
fn pages_lead_from_one_to_the_next() {
    let root = Root::new();
    for name in ["a", "b", "c"] {
        root.http("POST", "/api/v1/users", JSON, &format!(r#"{{"name":"{name}"}}"#));
    }
    let names = |answer: &Value| answer.as_array().unwrap().iter().map(|u| u["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let (head, first) = root.http("GET", "/api/v1/users?limit=2", "", "");
    assert_eq!(names(&first), ["a", "b"]);
    assert!(head.contains(r#"link: </api/v1/users?limit=2&after=b>; rel="next""#), "{head}");
    let (head, second) = root.http("GET", "/api/v1/users?limit=2&after=b", "", "");
    assert_eq!(names(&second), ["c"]);
    assert!(!head.contains("link:"), "{head}");
    let (head, events) = root.http("GET", "/api/v1/audit-events?action=ram:CreateUser&limit=2", "", "");
    assert_eq!(events[0]["resource"], "user/c");
    let next = head.split("link: <").nth(1).unwrap().split('>').next().unwrap().to_owned();
    let (_, events) = root.http("GET", &next.replace("ram:createuser", "ram:CreateUser"), "", "");
    assert_eq!((events.as_array().unwrap().len(), &events[0]["resource"]), (1, &"user/a".into()));
    for query in ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "page=1", "after=%00"] {
        assert_eq!(status(&root.http("GET", &format!("/api/v1/users?{query}"), "", "").0), 400, "{query}");
    }
}

#[test]
fn a_repository_stands_in_the_path_with_its_slashes() {
    let root = Root::new();
    root.http("POST", "/api/v1/instances/-/namespaces", JSON, r#"{"name":"demo"}"#);
    let (head, made) = root.http("POST", "/api/v1/instances/local/repositories", JSON, r#"{"name":"demo/tags/b"}"#);
    assert_eq!((status(&head), &made["name"]), (201, &"demo/tags/b".into()));
    for path in ["demo/tags/b", "demo%2Ftags%2Fb"] {
        let (head, found) = root.http("GET", &format!("/api/v1/instances/-/repositories/{path}"), "", "");
        assert_eq!((status(&head), &found["name"]), (200, &"demo/tags/b".into()), "{path}");
    }
    for path in ["demo/tags", "demo//tags/b", "demo/../demo/tags/b", "demo/tags/b/", "Demo/tags/b"] {
        assert_eq!(status(&root.http("GET", &format!("/api/v1/instances/-/repositories/{path}"), "", "").0), 404, "{path}");
    }
}
