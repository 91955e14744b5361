import os
import pwd
import shutil
import tempfile
import unittest

from hq_vault import VaultSdkError
from hq_vault._hidden import Hidden
from hq_vault._proxy import Proxy, hop_for
from hq_vault._surroundings import Options, socket_of, surroundings
from hq_vault._target import parse

# Of no vault; without a pin and with one (spec/vectors).
TOKEN = "hqv_Ag8HPtkbLzkkyJ7Fj85PZ-xoZnJ9BK49gflzd7Dps1_BAAAAAAAAAAAAAAAAAAAAAJOk250"
PINNED = "hqv_AUTH1xDaMDy3r9OQfzIqfiJ1xtwM1hZNC8l1JhC6eY_hDyJq8Vd90UnZMrbb0-tc-MSjvlo"
SESSION = "hqs_AjCKkFmiJGeJy_4IBwjvldqCvNRTuueGO5sn0B2Kzg7TAAAAAAAAAAAAAAAAAAAAAOJEws8"


def at(env, **options):
    return str(surroundings(Options(**options), env).target)


class Where(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(dir="/tmp")
        self.addCleanup(shutil.rmtree, self.home)
        self.dir = os.path.join(self.home, ".hq-vault")
        os.mkdir(self.dir)

    def put(self, name, text=""):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(text)

    def test_the_server_option_variable_socket_port_default(self):
        env = {"HOME": self.home}
        socket = f"unix:{self.dir}/vault.sock"
        self.assertEqual(at(env), "https://localhost:13100")
        self.put("vault.db")
        self.assertEqual(at(env), socket)
        self.put("vault.port", "40001\n")
        self.assertEqual(at(env), "https://localhost:40001")
        self.put("vault.sock")
        self.assertEqual(at(env), socket)
        self.assertEqual(at({"HOME": "/nowhere", "HQ_VAULT_DIR": self.dir + "/"}), socket)
        self.assertEqual(at({"HQ_VAULT_DIR": "/nowhere"}, vault_dir=self.dir), socket)
        url = {**env, "HQ_VAULT_URL": "https://vault.internal"}
        self.assertEqual(at(url), "https://vault.internal:443")
        self.assertEqual(at(url, url="unix:/run/v.sock"), "unix:/run/v.sock")
        for wrong in ({"HQ_VAULT_URL": ""}, {"HQ_VAULT_DIR": "here"}):
            with self.assertRaises(VaultSdkError) as caught:
                at(wrong)
            self.assertEqual(caught.exception.code, "BAD_REQUEST")

    def test_without_home_the_home_of_the_uid(self):
        expected = os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".hq-vault", "ca.pem")
        for env in ({}, {"HOME": "relative"}):
            self.assertEqual(surroundings(Options(), env).trust.local_ca, expected)

    def test_a_socket_whose_path_is_too_long_stands_in_the_runtime_directory(self):
        # The name that hq-vault makes of the same directory.
        found = socket_of("/tmp/" + "d" * 200, "/run/user/1")
        self.assertEqual(found, "/run/user/1/hq-vault-2b2ff841ea1b13fc.sock")
        self.assertIsNone(socket_of("/" + "d" * 120, None))

    def test_who_acts(self):
        file = os.path.join(self.home, "token")
        with open(file, "w") as out:
            out.write(PINNED + "\n")
        every = {"HQ_VAULT_TOKEN": TOKEN, "HQ_VAULT_TOKEN_FILE": file, "HQ_VAULT_SESSION": SESSION}
        without = {key: text for key, text in every.items() if key != "HQ_VAULT_TOKEN"}

        def who(env, **options):
            hidden = {key: Hidden(text) if key in ("token", "session") else text for key, text in options.items()}
            return surroundings(Options(vault_dir=self.dir, **hidden), env).identity

        self.assertEqual(who({}), "nobody")
        self.assertEqual(who({"HQ_VAULT_SESSION": SESSION}), "session from HQ_VAULT_SESSION")
        self.assertEqual(who(without), "token from HQ_VAULT_TOKEN_FILE")
        self.assertEqual(who(every), "token from HQ_VAULT_TOKEN")
        self.assertEqual(who(every, session=SESSION), "session from the argument session")
        self.assertEqual(who(every, token_file=file, session=SESSION), "token from the argument token_file")
        self.assertEqual(who(every, token=TOKEN, token_file=file), "token from the argument token")
        wrong = [
            ({**every, "HQ_VAULT_TOKEN": ""}, {}, "UNAUTHORIZED"),
            ({**every, "HQ_VAULT_TOKEN": TOKEN[:-1]}, {}, "UNAUTHORIZED"),
            ({"HQ_VAULT_TOKEN_FILE": "", "HQ_VAULT_SESSION": SESSION}, {}, "UNAUTHORIZED"),
            (every, {"token": ""}, "UNAUTHORIZED"),
            (every, {"token": SESSION}, "UNAUTHORIZED"),
            ({}, {"session": TOKEN}, "UNAUTHORIZED"),
            ({"HQ_VAULT_TOKEN_FILE": TOKEN}, {}, "BAD_REQUEST"),
            ({}, {"token_file": os.path.join(self.home, "none")}, "BAD_REQUEST"),
        ]
        for env, options, code in wrong:
            with self.assertRaises(VaultSdkError) as caught:
                who(env, **options)
            error = caught.exception
            self.assertEqual((error.code, error.status_code, error.sent), (code, None, False))
            self.assertNotIn("hqv_", str(error))


class Proxies(unittest.TestCase):
    def hop(self, url, no_proxy="", proxy="http://proxy.example:3128/"):
        return hop_for(parse(url), Proxy(Hidden(proxy), no_proxy))

    def test_where_one_is_used_and_where_not(self):
        self.assertEqual(self.hop("https://vault.example")[:2], ("proxy.example", 3128))
        self.assertEqual(self.hop("https://vault.example", "", "proxy.example").port, 80)
        login = self.hop("https://vault.example", "", "http://u:p%40@[::1]:1").authorization
        self.assertEqual(login.reveal(), "Basic dTpwQA==")
        for local in ("https://localhost:1", "https://127.9.9.9", "https://[::1]:1", "unix:/x"):
            self.assertIsNone(self.hop(local))
        for rule in ("*", "vault.example", ".example", "*.example", "EXAMPLE", "x, vault.example:443"):
            self.assertIsNone(self.hop("https://vault.example", rule), rule)
        for rule in ("", "ault.example", "vault.example:8443", "vault.example.org", "."):
            self.assertTrue(self.hop("https://vault.example", rule), rule)
        for rule in ("10.0.0.7", "10.0.0.0/8", "1.2.3.4 10.0.0.0/29", "0.0.0.0/0"):
            self.assertIsNone(self.hop("https://10.0.0.7", rule), rule)
        for rule in ("10.0.0.8", "10.0.1.0/24", "10.0.0.0/x", "10.0.0.0/", "::/0", "7"):
            self.assertTrue(self.hop("https://10.0.0.7", rule), rule)
        self.assertIsNone(self.hop("https://[fd00::1]", "fd00::/8"))
        self.assertTrue(self.hop("https://[fe80::1]", "fd00::/8"))
        for url in ("https://proxy.example", "socks5://x", "http://"):
            with self.assertRaises(VaultSdkError):
                self.hop("https://vault.example", "", url)


if __name__ == "__main__":
    unittest.main()
