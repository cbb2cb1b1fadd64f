"""Token buckets, by a clock of the test's own."""

from gridjax.live.limits import Bucket, Buckets


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_bucket_allows_a_burst_and_then_its_rate():
    clock = Clock()
    bucket = Bucket(60.0, 3.0, clock)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    assert bucket.wait == 1.0
    clock.now += 1.0
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now += 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_names_do_not_pay_for_one_another_and_are_bounded():
    clock = Clock()
    buckets = Buckets(60.0, 1.0, clock)
    assert buckets.of("one").take()
    assert not buckets.of("one").take()
    assert buckets.of("other").take()
    for k in range(20_000):
        buckets.of(str(k))
    assert len(buckets._all) == 10_000
