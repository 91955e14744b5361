import concurrent.futures
import copy
import multiprocessing
import pickle
import unittest

import hq_vault
from hq_vault import VaultSdkError

FACTS = ("code", "message", "status_code", "request_id", "hint", "actor", "retry_after", "sent")
# Not in a line that a traceback quotes.
URL = "https://user:canary-secret@vault.example"


def facts(error):
    return [getattr(error, name) for name in FACTS]


def refused():
    hq_vault.VaultClient(url=URL)


class Errors(unittest.TestCase):
    def test_every_fact_survives_a_pickle_and_a_copy(self):
        known = {"status_code": 429, "request_id": "req_1", "hint": "wait", "actor": "a/b", "retry_after": 7, "sent": True}
        for error in (VaultSdkError("RATE_LIMITED", "too many", **known), VaultSdkError("TIMEOUT", "too slow")):
            ways = [lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)]
            for way in [*ways, copy.copy, copy.deepcopy]:
                again = way(error)
                self.assertIs(type(again), VaultSdkError)
                self.assertEqual((facts(again), again.args), (facts(error), error.args))
                self.assertEqual((str(again), repr(again)), (str(error), repr(error)))

    def test_an_error_of_another_process_comes_as_what_it_is_and_without_a_secret(self):
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
            with self.assertRaises(VaultSdkError) as caught:
                pool.submit(refused).result()
        error = caught.exception
        self.assertEqual((error.code, error.sent), ("BAD_REQUEST", False))
        self.assertNotIn(b"canary-secret", pickle.dumps(error))
        # What the pool itself adds, a traceback of the other process as text, is shown with it.
        self.assertNotIn("canary-secret", f"{error}{error.__cause__}")


if __name__ == "__main__":
    unittest.main()
