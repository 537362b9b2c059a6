//! The vendor's SDKs, each a process that is told a call a line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::support::peer;

/// Which SDK, and how it signs and sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Python's generated clients, ACS3-HMAC-SHA256.
    TeaV3,
    /// The same with `signature_algorithm="v2"`, HMAC-SHA1.
    TeaV2,
    /// `aliyun-python-sdk-…`.
    Core,
    /// `@alicloud/pop-core`, all in the query.
    PopGet,
    /// The same, all in a form.
    PopPost,
    /// TypeScript's clients, ACS3-HMAC-SHA256.
    TypeScriptV3,
    /// The same with HMAC-SHA1.
    TypeScriptV2,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::TeaV3, Self::TeaV2, Self::Core, Self::PopGet, Self::PopPost, Self::TypeScriptV3, Self::TypeScriptV2];

    /// Program, driver, and what the driver is told.
    fn parts(self) -> (&'static str, &'static str, Value) {
        let (python, node) = (("alibaba-python", "sdk.py"), ("alibaba-node", "sdk.js"));
        let ((program, driver), settings) = match self {
            Self::TeaV3 => (python, json!({ "client": "tea", "algorithm": null })),
            Self::TeaV2 => (python, json!({ "client": "tea", "algorithm": "v2" })),
            Self::Core => (python, json!({ "client": "core" })),
            Self::PopGet => (node, json!({ "client": "pop", "method": "GET" })),
            Self::PopPost => (node, json!({ "client": "pop", "method": "POST" })),
            Self::TypeScriptV3 => (node, json!({ "client": "tea" })),
            Self::TypeScriptV2 => (node, json!({ "client": "tea", "algorithm": "v2" })),
        };
        (program, driver, settings)
    }
}

pub(crate) struct Sdk {
    kind: Kind,
    process: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Sdk {
    /// `settings` say where and with which key; of this process's environment it sees nothing, only `environment` among them.
    pub(crate) fn start(kind: Kind, home: &Path, settings: &Value, ca: Option<&Path>) -> Self {
        let (program, driver, mut all) = kind.parts();
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alibaba/drivers").join(driver);
        let mut call = Command::new(peer(program));
        call.arg(driver)
            .arg(all.to_string())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", home)
            .env("LC_ALL", "C.UTF-8");
        let more = all["environment"].as_object().into_iter().flatten();
        call.envs(more.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
        call.envs(ca.iter().flat_map(|ca| [("SSL_CERT_FILE", ca), ("NODE_EXTRA_CA_CERTS", ca)]));
        let mut process = call.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, answer) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { kind, process, ask, answer }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    fn told(&mut self, call: &Value) -> Value {
        writeln!(self.ask, "{call}").unwrap();
        let mut line = String::new();
        self.answer.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "{:?} ended at {call}", self.kind);
        serde_json::from_str(&line).unwrap()
    }

    /// A call that succeeds; its body as the SDK shows it.
    #[track_caller]
    pub(crate) fn ok(&mut self, product: &str, action: &str, params: &Value) -> Value {
        let told = self.told(&json!({ "product": product, "action": action, "params": params }));
        assert!(told["error"].is_null(), "{:?} {action} {params}: {}", self.kind, told["error"]);
        told["ok"].clone()
    }

    /// A call that fails: what the SDK throws.
    #[track_caller]
    pub(crate) fn fails(&mut self, product: &str, action: &str, params: &Value) -> Value {
        let told = self.told(&json!({ "product": product, "action": action, "params": params }));
        assert!(told["ok"].is_null(), "{:?} {action} {params} was answered: {}", self.kind, told["ok"]);
        told["error"].clone()
    }

    /// A call that fails with this code.
    #[track_caller]
    pub(crate) fn refused(&mut self, product: &str, action: &str, params: &Value, code: &str) -> Value {
        let error = self.fails(product, action, params);
        assert_eq!(error["code"], code, "{:?} {action} {params}: {error}", self.kind);
        error
    }

    /// The answer in XML, as `aliyun-python-sdk-core` hands it on.
    #[track_caller]
    pub(crate) fn xml(&mut self, product: &str, action: &str, params: &Value) -> String {
        let told = self.told(&json!({ "product": product, "action": action, "params": params, "format": "XML" }));
        assert!(told["error"].is_null(), "{:?} {action} {params}: {}", self.kind, told["error"]);
        told["ok"]["xml"].as_str().unwrap().to_owned()
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
