"""What the cloud knows and how it answers: identities, instances, the metadata service, both ACR APIs, registries."""

import html
import json
import re
import secrets
import threading
import time
from email.utils import formatdate

import signature

STATUS_OF_CODE = {
    "Throttling": 429, "Throttling.User": 429, "Throttling.Api": 400, "ServiceUnavailable": 503, "InternalError": 500,
    "SystemError": 500, "NoPermission": 403, "NoPrivilege": 403, "Forbidden.RAM": 403, "Forbidden": 403,
    "InvalidAccessKeyId.NotFound": 404, "USER_NOT_EXIST": 404, "INSTANCE_NOT_EXIST": 404,
}
MAX_SKEW_S = 15 * 60


class Refusal(Exception):
    def __init__(self, code, message="", status=None, **extra):
        super().__init__(code)
        self.code, self.message, self.extra = code, message or f"The emulator says {code}.", extra
        self.status = status or STATUS_OF_CODE.get(code, 400)


def _instance(name, region="cn-hangzhou", domains=(), account="1234567890123456"):
    return {"InstanceId": "cri-" + (name.replace("-", "") + "567890abcdef0123")[:16], "InstanceName": name,
            "InstanceStatus": "RUNNING", "RegionId": region, "account": account, "custom_domains": list(domains)}


class Cloud:
    """State is plain attributes, so that a test can set any of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.metadata_mode = "normal"  # or hardened, no-token-service, disabled
        self.role = "KubernetesWorkerRole"
        self.region = "cn-hangzhou"
        self.clock_offset_s = 0
        self.credentials_life_s = 6 * 3600
        self.token_life_s = 3600
        self.challenge_enabled = True
        self.refusals_with_status_200 = False
        self.personal_user = True
        self.permissions = {"cr:GetAuthorizationToken", "cr:ListInstance", "cr:ListInstanceEndpoint"}
        self.unresolvable = set()
        # A dozen instances on each side of one, so that ListInstance must page and compare names exactly.
        names = [f"filler-{n:02d}" for n in range(60)] + ["demo-two", "demo", "my-registry"]
        self.instances = [_instance(n, domains=["hub.example.com"] if n == "demo" else []) for n in names]
        self.instances.append(_instance("harbour", "cn-shanghai"))
        self.instances.append(_instance("foreign", account="9999999999999999", domains=["foreign.example.com"]))
        self.instances[-1]["challenges_as"] = "foreign.example.com"
        self.keys = {"LTAIemulatorkey00001": {"secret": "emulator-secret-0000000001", "token": "", "ends": None}}
        self.issued = []  # registry passwords
        self._metadata_tokens = {}
        self._nonces = set()

    def now(self):
        return time.time() + self.clock_offset_s

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
        operation = {"region-id": "region", "ram/security-credentials/": "role"}.get(path[len("/latest/meta-data/"):])
        if operation is None and "/ram/security-credentials/" in path:
            operation = "credentials"
        token = headers.get("x-aliyun-ecs-metadata-token")
        if token is None and self.metadata_mode == "hardened":
            return operation or "*", 403, "text/html", "<html>forbidden</html>"
        if token is not None and self._metadata_tokens.get(token, 0) < time.time():
            return operation or "*", 401, "text/html", "<html>unauthorized</html>"
        if operation == "region":
            return operation, 200, "text/plain", self.region
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
        token = secrets.token_urlsafe(32)
        self._metadata_tokens[token] = time.time() + int(life)
        return 200, "text/plain", token

    def issue_credentials(self):
        key_id, secret, token = "STS.NU" + secrets.token_hex(10), secrets.token_hex(20), "CAIS" + secrets.token_hex(60)
        ends = self.now() + self.credentials_life_s
        self.keys[key_id] = {"secret": secret, "token": token, "ends": ends}
        utc = "%Y-%m-%dT%H:%M:%SZ"
        return {"Code": "Success", "AccessKeyId": key_id, "AccessKeySecret": secret, "SecurityToken": token,
                "LastUpdated": time.strftime(utc, time.gmtime(self.now())),
                "Expiration": time.strftime(utc, time.gmtime(ends))}

    # -- signed APIs -----------------------------------------------------------------------------------------

    def check_signature(self, method, path, query, headers, body):
        """Refuses what the cloud refuses, in its order. The key of the caller."""
        said = signature.parse_authorization(headers.get("authorization", ""))
        if not {"Credential", "SignedHeaders", "Signature"} <= said.keys():
            raise Refusal("IncompleteSignature")
        try:
            date = time.strptime(headers.get("x-acs-date", ""), "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            raise Refusal("InvalidTimeStamp.Format") from None
        import calendar
        if abs(calendar.timegm(date) - self.now()) > MAX_SKEW_S:
            raise Refusal("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        with self.lock:
            nonce = headers.get("x-acs-signature-nonce", "")
            if not nonce or nonce in self._nonces:
                raise Refusal("SignatureNonceUsed", "Specified signature nonce was used already.")
            self._nonces.add(nonce)
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
        names = canonical.split("\n")[-2]
        if said["SignedHeaders"] != names or said["Signature"] != signature.sign(key["secret"], canonical):
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
        password = "reg-" + secrets.token_hex(40)
        self.issued.append(password)
        return password, int(ends * 1000)

    def _own_instance(self, region, instance_id):
        for instance in self.instances:
            if (instance["InstanceId"], instance["RegionId"]) == (instance_id, region) and \
                    instance["account"] == "1234567890123456":
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
            self._own_instance(region, arguments.get("InstanceId"))
            password, ends_ms = self._registry_password(key)
            answer.update(TempUsername="cr_temp_user", AuthorizationToken=password, ExpireTime=ends_ms)
        elif action == "ListInstance":
            number, size = int(arguments.get("PageNo", 1)), int(arguments.get("PageSize", 30))
            if size > 50:
                raise Refusal("InvalidParameter.PageSize")
            # The filter matches parts of names and is so weak here that only paging finds the last ones.
            found = [i for i in self.instances if i["RegionId"] == region and i["account"] == "1234567890123456"]
            answer.update(PageNo=number, PageSize=size, TotalCount=str(len(found)), Instances=[
                {k: v for k, v in i.items() if k.startswith("Instance") or k == "RegionId"}
                for i in found[(number - 1) * size:number * size]])
        elif action == "ListInstanceEndpoint":
            instance = self._own_instance(region, arguments.get("InstanceId"))
            domains = [{"Domain": f"{instance['InstanceName']}-registry.{region}.cr.aliyuncs.com", "Type": "SYSTEM"}]
            domains += [{"Domain": d, "Type": "USER"} for d in instance["custom_domains"]]
            answer["Endpoints"] = [{"EndpointType": "internet", "Enable": True, "Domains": domains}]
        else:
            raise Refusal("InvalidAction.NotFound", status=404)
        return answer

    # -- registries ------------------------------------------------------------------------------------------

    def challenge(self, host):
        """The WWW-Authenticate value of a registry host, None if it is none."""
        for instance in self.instances:
            own = re.fullmatch(re.escape(instance["InstanceName"]) + r"-registry(-vpc)?\." +
                               re.escape(instance["RegionId"]) + r"\.cr\.aliyuncs\.com", host)
            if (own or host in instance["custom_domains"]) and self.challenge_enabled:
                region = instance["RegionId"]
                return (f'Bearer realm="https://dockerauth.{region}.aliyuncs.com/auth",'
                        f'service="registry.aliyuncs.com:{region}:china:{instance["InstanceId"]}"')
        return None

    def date(self):
        return formatdate(self.now(), usegmt=True)
