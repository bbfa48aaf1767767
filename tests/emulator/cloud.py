"""What the cloud knows and how it answers: identities, instances, the metadata service, both ACR APIs, registries."""

import base64
import calendar
import fnmatch
import hashlib
import html
import json
import os
import re
import secrets
import subprocess
import tempfile
import threading
import time
from email.utils import formatdate

import signature

STATUS_OF_CODE = {
    "Throttling": 429, "Throttling.User": 429, "Throttling.Api": 400, "ServiceUnavailable": 503, "InternalError": 500,
    "SystemError": 500, "NoPermission": 403, "NoPrivilege": 403, "Forbidden.RAM": 403, "Forbidden": 403,
    "InvalidAccessKeyId.NotFound": 404, "USER_NOT_EXIST": 404, "INSTANCE_NOT_EXIST": 404, "EntityNotExist.Role": 404,
    "AuthenticationFail.NoPermission": 403,
}
MAX_SKEW_S = 15 * 60
ACCOUNT = "1234567890123456"
PARTNER = "9999999999999999"
UTC = "%Y-%m-%dT%H:%M:%SZ"
OIDC_PROVIDER = f"acs:ram::{ACCOUNT}:oidc-provider/ack-rrsa-c0123456789"
# The AccessKey of the account, and what a token must claim for the role "pod".
KEY, SECRET = "LTAIemulatorkey00001", "emulator-secret-0000000001"
CLAIMS = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Refusal(Exception):
    def __init__(self, code, message="", status=None, **extra):
        super().__init__(code)
        self.code, self.message, self.extra = code, message or f"The emulator says {code}.", extra
        self.status = status or STATUS_OF_CODE.get(code, 400)


def _instance(name, region="cn-hangzhou", domains=(), account=ACCOUNT):
    return {"InstanceId": "cri-" + (name.replace("-", "") + "567890abcdef0123")[:16], "InstanceName": name,
            "InstanceStatus": "RUNNING", "RegionId": region, "account": account, "custom_domains": list(domains)}


class Signer:
    """RS256 by the openssl command, with a key made when it is first needed."""

    def __init__(self, directory):
        self._key = os.path.join(directory, "rsa.key")

    def _run(self, *arguments, data=b""):
        if not os.path.exists(self._key):
            subprocess.run(["openssl", "genrsa", "-out", self._key, "2048"], check=True, capture_output=True)
        return subprocess.run(["openssl", "dgst", "-sha256", *arguments], input=data, capture_output=True, check=False)

    def sign(self, data):
        return self._run("-sign", self._key, data=data).stdout

    def certificate(self):
        """Path of a self-signed certificate of the key, by which a registry knows its token service."""
        path = self._key + ".pem"
        if not os.path.exists(path):
            self._run("-sign", self._key)  # makes the key
            subprocess.run(["openssl", "req", "-x509", "-new", "-key", self._key, "-subj", "/CN=dockerauth", "-days",
                            "2",
                            "-out", path], check=True, capture_output=True)
        return path

    def verifies(self, data, mark):
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(self._key)) as file:
            file.write(mark)
            file.flush()
            return self._run("-prverify", self._key, "-signature", file.name, data=data).returncode == 0


class Cloud:
    """State is plain attributes, so that a test can set any of them."""

    def __init__(self, signer):
        self.signer = signer
        self.lock = threading.Lock()
        self._made = []  # every secret, however short its life
        self.metadata_mode = "normal"  # or hardened, no-token-service, disabled
        self.role = "KubernetesWorkerRole"
        self.region = "cn-hangzhou"
        self.clock_offset_s = 0
        self.credentials_life_s = 6 * 3600
        self.token_life_s = 3600
        self.challenge_enabled = True
        self.auth_host = "dockerauth.{region}.aliyuncs.com"
        self.pull_repositories = {"*"}
        self.refusals_with_status_200 = False
        self.personal_user = True
        self.tokens_in_urls = False  # STS itself reads OIDC tokens there too, as do all who keep a log of URLs
        self.permissions = {"cr:GetAuthorizationToken", "cr:ListInstance", "cr:ListInstanceEndpoint"}
        self.unresolvable = set()
        # A dozen instances on each side of one, so that ListInstance must page and compare names exactly.
        names = [f"filler-{n:02d}" for n in range(60)] + ["demo-two", "demo", "my-registry"]
        self.instances = [_instance(n, domains=["hub.example.com"] if n == "demo" else []) for n in names]
        self.instances.append(_instance("harbour", "cn-shanghai"))
        self.instances.append(_instance("foreign", account=PARTNER, domains=["foreign.example.com"]))
        self.instances[-1]["challenges_as"] = "foreign.example.com"
        self.keys = {KEY: {"secret": self._keep(SECRET), "token": "", "ends": None}}
        self.issued = []  # registry passwords
        self._password_ends = {}
        # Roles by name: whom they trust (key ids may be globs), or which tokens.
        self.roles = {
            "puller": {"trusts": ["LTAI*", "STS.*"], "external_id": None},
            "partner": {"trusts": ["LTAI*", "STS.*"], "external_id": "abcd1234", "account": PARTNER},
            "closed": {"trusts": [], "external_id": None},
            "pod": {"trusts": [], **CLAIMS},
        }
        self.assumed = []  # what AssumeRole and AssumeRoleWithOIDC were given
        self._metadata_tokens = {}
        self._nonces = set()

    def now(self):
        return time.time() + self.clock_offset_s

    def _keep(self, secret):
        self._made.append(secret)
        return secret

    @property
    def secrets(self):
        """All that must never be printed: whatever was made here, and what a test has put into `keys`."""
        stated = [part for key in list(self.keys.values()) for part in (key["secret"], key["token"])]
        return [secret for secret in dict.fromkeys(self._made + stated) if secret]

    # -- metadata service ------------------------------------------------------------------------------------

    def metadata(self, method, path, headers):
        """(operation, status, content type, body)"""
        page = html.escape(path)
        not_found = (404, "text/html", f"<html><h1>404 - Not Found</h1>{page}</html>")
        if self.metadata_mode == "disabled":
            return ("*", *not_found)
        if path.startswith("http://"):
            return "proxied", 403, "text/html", "<html>asked by a proxy</html>"
        if "x-forwarded-for" in headers:
            return "*", 403, "text/html", "<html>forbidden</html>"
        if path == "/latest/api/token" and method == "PUT":
            return ("token", *self._metadata_token(headers, not_found))
        operation = {"region-id": "region", "owner-account-id": "account", "ram/security-credentials/": "role"}.get(
            path[len("/latest/meta-data/"):])
        if operation is None and "/ram/security-credentials/" in path:
            operation = "credentials"
        token = headers.get("x-aliyun-ecs-metadata-token")
        if token is None and self.metadata_mode == "hardened":
            return operation or "*", 403, "text/html", "<html>forbidden</html>"
        if token is not None and self._metadata_tokens.get(token, 0) < self.now():
            return operation or "*", 401, "text/html", "<html>unauthorized</html>"
        if operation == "region":
            return operation, 200, "text/plain", self.region
        if operation == "account":
            return operation, 200, "text/plain", ACCOUNT
        if operation == "role" and self.role:
            return operation, 200, "text/plain", self.role
        if operation == "credentials" and self.role and path.endswith("/" + self.role):
            return operation, 200, "application/json", json.dumps(self.issue_credentials())
        return (operation or "*", *not_found)

    def _metadata_token(self, headers, not_found):
        if self.metadata_mode == "no-token-service":
            return not_found
        life = headers.get("x-aliyun-ecs-metadata-token-ttl-seconds", "")
        if not life.isdigit() or not 1 <= int(life) <= 21600:
            return 400, "text/html", "<html>Missing or Invalid Parameters</html>"
        token = self._keep(secrets.token_urlsafe(32))
        self._metadata_tokens[token] = self.now() + int(life)
        return 200, "text/plain", token

    def issue_credentials(self, life_s=None, role=None, account=ACCOUNT):
        key_id = "STS.NU" + secrets.token_hex(10)
        secret, token = self._keep(secrets.token_hex(20)), self._keep("CAIS" + secrets.token_hex(60))
        ends = self.now() + (self.credentials_life_s if life_s is None else life_s)
        self.keys[key_id] = {"secret": secret, "token": token, "ends": ends, "role": role or self.role,
                             "account": account}
        return {"Code": "Success", "AccessKeyId": key_id, "AccessKeySecret": secret, "SecurityToken": token,
                "LastUpdated": time.strftime(UTC, time.gmtime(self.now())),
                "Expiration": time.strftime(UTC, time.gmtime(ends))}

    # -- signed APIs -----------------------------------------------------------------------------------------

    def _check_date(self, date):
        try:
            date_s = calendar.timegm(time.strptime(date, UTC))
        except ValueError:
            raise Refusal("InvalidTimeStamp.Format") from None
        if abs(date_s - self.now()) > MAX_SKEW_S:
            raise Refusal("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    def _check_nonce(self, nonce):
        with self.lock:
            if not nonce or nonce in self._nonces:
                raise Refusal("SignatureNonceUsed", "Specified signature nonce was used already.")
            self._nonces.add(nonce)

    def _check_unsigned(self, arguments, headers, body):
        """A call that nobody signs may leave out date, nonce and hash; what it says of them must still be right."""
        date = headers.get("x-acs-date", arguments.get("Timestamp"))
        nonce = headers.get("x-acs-signature-nonce", arguments.get("SignatureNonce"))
        if date is not None:
            self._check_date(date)
        if nonce is not None:
            self._check_nonce(nonce)
        if headers.get("x-acs-content-sha256") not in (None, hashlib.sha256(body).hexdigest()):
            raise Refusal("InvalidParameter", "x-acs-content-sha256 is not the hash of the body.")

    def check_signature(self, method, path, query, headers, body):
        """Refuses what the cloud refuses, in its order. The key of the caller."""
        said = signature.parse_authorization(headers.get("authorization", ""))
        if not {"Credential", "SignedHeaders", "Signature"} <= said.keys():
            raise Refusal("IncompleteSignature")
        self._check_date(headers.get("x-acs-date", ""))
        self._check_nonce(headers.get("x-acs-signature-nonce"))
        key = self.keys.get(said["Credential"])
        if key is None:
            raise Refusal("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        token = headers.get("x-acs-security-token", "")
        if key["token"] and not token:
            raise Refusal("MissingSecurityToken", "SecurityToken is mandatory for this action.")
        if token != key["token"]:
            raise Refusal("InvalidSecurityToken.MismatchWithAccessKey")
        if key["ends"] is not None and key["ends"] < self.now():
            raise Refusal("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
        canonical = signature.canonical_request(method, path, query, headers, body)
        *_, names, body_hash = canonical.split("\n")
        if headers.get("x-acs-content-sha256") != body_hash or said["SignedHeaders"] != names or \
                said["Signature"] != signature.sign(key["secret"], canonical):
            raise Refusal("SignatureDoesNotMatch", f"Specified signature does not match; server string: {canonical}")
        return key

    def allow(self, action):
        if action not in self.permissions:
            raise Refusal("NoPermission", "You are not authorized to do this action.", AccessDeniedDetail={
                "AuthAction": action, "AuthPrincipalDisplayName": f"{self.role}:i-emulator",
                "AuthPrincipalType": "AssumedRoleUser", "NoPermissionType": "ImplicitDeny"})

    def _registry_password(self, key):
        ends = self.now() + self.token_life_s
        if key["ends"] is not None:
            ends = min(ends, key["ends"])
        password = self._keep("reg-" + secrets.token_hex(40))
        self.issued.append(password)
        self._password_ends[password] = ends
        return password, int(ends * 1000)

    def _own_instance(self, key, region, instance_id):
        for instance in self.instances:
            if (instance["InstanceId"], instance["RegionId"]) == (instance_id, region) and \
                    instance["account"] == key.get("account", ACCOUNT):
                return instance
        raise Refusal("INSTANCE_NOT_EXIST", "", 200 if self.refusals_with_status_200 else 404, IsSuccess=False)

    def acr(self, region, method, path, query, headers, body):
        key = self.check_signature(method, path, query, headers, body)
        version, action = headers.get("x-acs-version"), headers.get("x-acs-action")
        arguments = dict(query)
        self.allow("cr:" + action)
        if version == "2016-06-07" and (method, path) == ("GET", "/tokens"):
            if not self.personal_user:
                raise Refusal("USER_NOT_EXIST", "user is not exist.")
            password, ends_ms = self._registry_password(key)
            return {"data": {"authorizationToken": password, "tempUserName": "cr_temp_user", "expireDate": ends_ms}}
        if version != "2018-12-01":
            raise Refusal("InvalidVersion")
        answer = {"Code": "success", "IsSuccess": True}
        if action == "GetAuthorizationToken":
            self._own_instance(key, region, arguments.get("InstanceId"))
            password, ends_ms = self._registry_password(key)
            answer.update(TempUsername="cr_temp_user", AuthorizationToken=password, ExpireTime=ends_ms)
        elif action == "ListInstance":
            number, size = int(arguments.get("PageNo", 1)), int(arguments.get("PageSize", 30))
            if size > 50:
                raise Refusal("InvalidParameter.PageSize")
            # The filter matches parts of names and is so weak here that only paging finds the last ones.
            found = [i for i in self.instances if i["RegionId"] == region
                     and i["account"] == key.get("account", ACCOUNT)]
            answer.update(PageNo=number, PageSize=size, TotalCount=str(len(found)), Instances=[
                {k: v for k, v in i.items() if k.startswith("Instance") or k == "RegionId"}
                for i in found[(number - 1) * size:number * size]])
        elif action == "ListInstanceEndpoint":
            instance = self._own_instance(key, region, arguments.get("InstanceId"))
            domains = [{"Domain": f"{instance['InstanceName']}-registry.{region}.cr.aliyuncs.com", "Type": "SYSTEM"}]
            domains += [{"Domain": d, "Type": "USER"} for d in instance["custom_domains"]]
            answer["Endpoints"] = [{"EndpointType": "internet", "Enable": True, "Domains": domains}]
        else:
            raise Refusal("InvalidAction.NotFound", status=404)
        return answer

    # -- STS -------------------------------------------------------------------------------------------------

    def sts(self, method, path, query, headers, body, form):
        arguments = dict(query) | dict(form)
        action = headers.get("x-acs-action") or arguments.get("Action")
        if (headers.get("x-acs-version") or arguments.get("Version")) != "2015-04-01":
            raise Refusal("InvalidVersion")
        if action == "AssumeRoleWithOIDC":  # the one call that is not signed
            self._check_unsigned(arguments, headers, body)
            if "OIDCToken" not in arguments or "OIDCToken" in dict(query) and not self.tokens_in_urls:
                raise Refusal("MissingParameter", "OIDCToken is mandatory for this action, in the body.")
            return self._assume_role(arguments, self._trusted_token)
        key = self.check_signature(method, path, query, headers, body)
        caller = next(name for name, value in list(self.keys.items()) if value is key)
        if action == "GetCallerIdentity":
            return {"AccountId": ACCOUNT, "Arn": f"acs:ram::{ACCOUNT}:user/{caller}", "IdentityType": "RAMUser"}
        if action != "AssumeRole":
            raise Refusal("InvalidAction.NotFound", status=404)
        return self._assume_role(arguments, lambda role, given: any(
            fnmatch.fnmatch(caller, trusted) for trusted in role["trusts"]) and role.get("external_id") in (
                None, given.get("ExternalId")))

    def _assume_role(self, given, is_trusted):
        session, duration = given.get("RoleSessionName", ""), given.get("DurationSeconds", "3600")
        if not re.fullmatch(r"[A-Za-z0-9.@_-]{2,64}", session):
            raise Refusal("InvalidParameter.RoleSessionName")
        if not duration.isdigit() or not 900 <= int(duration) <= 43200:
            raise Refusal("InvalidParameter.DurationSeconds")
        if not 1 <= len(given.get("Policy", "{}")) <= 2048:
            raise Refusal("InvalidParameter.PolicySize")
        found = re.fullmatch(r"acs:ram::(\d+):role/(.+)", given.get("RoleArn", ""))
        role = self.roles.get(found[2]) if found else None
        if not role or role.get("account", ACCOUNT) != found[1]:
            raise Refusal("EntityNotExist.Role", f"The role not exists: {given.get('RoleArn')}")
        if not is_trusted(role, given):
            raise Refusal("AuthenticationFail.NoPermission" if "OIDCToken" in given else "NoPermission")
        self.assumed.append(given)
        issued = self.issue_credentials(int(duration), found[2], found[1])
        names = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
        return {"AssumedRoleUser": {"Arn": f"{given['RoleArn']}/{session}", "AssumedRoleId": f"3000001:{session}"},
                "Credentials": {name: issued[name] for name in names}}

    def _trusted_token(self, role, given):
        if given.get("OIDCProviderArn") != OIDC_PROVIDER:
            return False
        try:
            head, payload, mark = given.get("OIDCToken", "").split(".")
            claims = json.loads(_unbase64url(payload))
            signed, mark = f"{head}.{payload}".encode(), _unbase64url(mark)
        except ValueError:
            raise Refusal("AuthenticationFail.OIDCToken.Invalid") from None
        if not self.signer.verifies(signed, mark):
            raise Refusal("AuthenticationFail.OIDCToken.Invalid")
        if claims.get("exp", 0) < self.now():
            raise Refusal("AuthenticationFail.OIDCToken.Expired", "This JsonWebToken is expired.")
        audiences = claims.get("aud")  # a list where a cluster issues it
        return role.get("aud") in (audiences if isinstance(audiences, list) else [audiences]) and \
            all(claims.get(name) == role.get(name) for name in ("iss", "sub"))

    def mint(self, claims, life_s=600, **header):
        """A signed JWT: what a cluster's issuer, or the registry's token service, hands out."""
        claims = {"iat": int(self.now()), "exp": int(self.now()) + life_s, **claims}
        header = {"alg": "RS256", "typ": "JWT", **header}
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        return self._keep(signed + "." + _base64url(self.signer.sign(signed.encode())))

    def log_in(self, authorization, service, scopes):
        """The registry's token service: a bearer token for a user and a password that is still valid."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return None
        if scheme != "Basic" or user != "cr_temp_user" or self._password_ends.get(password, 0) < self.now():
            return None
        access = [self._grant(*scope.split(":")) for scope in scopes]
        with open(self.signer.certificate(), encoding="ascii") as file:
            certificate = "".join(line.strip() for line in file if "-----" not in line)
        return self.mint({"iss": "dockerauth", "aud": service, "sub": user, "access": access}, x5c=[certificate])

    def _grant(self, kind, name, actions):
        """A token service does not refuse a scope: it leaves out what is not allowed."""
        may_pull = kind != "repository" or any(fnmatch.fnmatch(name, glob) for glob in self.pull_repositories)
        return {"type": kind, "name": name,
                "actions": [action for action in actions.split(",") if action != "pull" or may_pull]}

    # -- registries ------------------------------------------------------------------------------------------

    def is_token_service(self, host):
        return re.fullmatch(r"dockerauth[a-z-]*\.[a-z0-9-]+\.aliyuncs\.com", host) or host in {
            self.auth_host.format(region=instance["RegionId"]) for instance in self.instances}

    def challenge(self, host):
        """The WWW-Authenticate value of a registry host, None if it is none."""
        for instance in self.instances:
            own = re.fullmatch(re.escape(instance["InstanceName"]) + r"-registry(-vpc)?\." +
                               re.escape(instance["RegionId"]) + r"\.cr\.aliyuncs\.com", host)
            if (own or host in instance["custom_domains"]) and self.challenge_enabled:
                region = instance["RegionId"]
                return (f'Bearer realm="https://{self.auth_host.format(region=region)}/auth",'
                        f'service="registry.aliyuncs.com:{region}:china:{instance["InstanceId"]}"')
        return None

    def date(self):
        return formatdate(self.now(), usegmt=True)
