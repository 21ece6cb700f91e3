using IoTMesh.Core;

namespace IoTMesh.Driver.Tests.PowerCut;

/// <summary>protocol.md 9.1: whatever moment the power fails, no (key, nonce) comes twice, nor a frame counter.</summary>
public sealed class PowerCutTests : IDisposable
{
    private const int LifeMs = 30_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("iotmesh-cut-").FullName;
    private int _lives;

    public void Dispose()
    {
        Directory.Delete(_folder, true);
    }

    /// <summary>The same life again and again; each time the power goes at the next one of its writes.</summary>
    [Theory]
    [InlineData(Cut.Before)]
    [InlineData(Cut.Torn)]
    [InlineData(Cut.After)]
    public void No_nonce_repeats_with_the_power_cut_at_any_one_write(Cut how)
    {
        var uncut = new CutPlan(_ => null);
        LiveOnFiles(uncut);
        Assert.InRange(uncut.Writes, 10, 500);
        for (int at = 1; at <= uncut.Writes; at++)
        {
            var plan = new CutPlan(write => write == at ? how : null);
            Life life = LiveOnFiles(plan);
            Assert.Equal(1, plan.Cuts);
            Assert.Equal(4, life.Boots);
        }
    }

    /// <summary>Hundreds of cuts in one life, a third of all writes; also of what keeps nothing but memory.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_nonce_repeats_over_hundreds_of_cuts_in_one_life(bool onFiles)
    {
        var random = new Random(5);
        var plan = new CutPlan(_ => random.Next(3) == 0 ? (Cut)random.Next(3) : null);
        Life life = onFiles ? Create(plan) : CreateInMemory(plan);
        life.Run(20 * LifeMs, (l, ms) => Script(l, ms));
        Assert.True(plan.Cuts > 100, $"only {plan.Cuts} cuts");
        Assert.True(life.Seals.Seals > 500, $"only {life.Seals.Seals} seals");
        Assert.True(life.Seals.Frames > 1_000, $"only {life.Seals.Frames} frames");
    }

    /// <summary>Blocks of counters are used up and reserved anew under way: the power goes there, too.</summary>
    [Theory]
    [InlineData(Cut.Before)]
    [InlineData(Cut.Torn)]
    [InlineData(Cut.After)]
    public void No_nonce_repeats_with_the_power_cut_where_a_block_of_counters_is_reserved(Cut how)
    {
        for (int after = 0; after < 2; after++)
        {
            int busyWrites = 0;
            bool isBusy = false;
            var plan = new CutPlan(_ => isBusy && busyWrites++ == after ? how : null);
            Life life = Create(plan);
            life.Run(8_000, (_, _) => { });
            isBusy = true;
            life.Run(15_000, (l, ms) => l.With(3, (node, nowMs) =>
            {
                for (int i = 0; i < 8; i++)
                {
                    node.Send(nowMs, 2, 41, MeshClass.Normal, true, [(byte)i], 0, 1, out _);
                }
            }));
            Assert.Equal(1, plan.Cuts);
            Assert.True(life.Seals.Seals > 2_100, $"only {life.Seals.Seals} seals: no block was used up");
        }
    }

    /// <summary>The check itself must see a counter that comes back.</summary>
    [Fact]
    public void A_storage_that_forgets_is_found_out()
    {
        var plan = new CutPlan(write => write == 12 ? Cut.After : null);
        var life = new Life(_ => new CutStorage(new MemoryStorage(), null, plan), 1);
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => life.Run(LifeMs, (l, ms) => Script(l, ms)));
    }

    private Life LiveOnFiles(CutPlan plan)
    {
        Life life = Create(plan);
        life.Run(LifeMs, (l, ms) => Script(l, ms));
        Assert.True(life.LastReadingMs > LifeMs, $"the last reading came at {life.LastReadingMs} ms");
        Assert.True(life.Seals.Seals > 100, $"only {life.Seals.Seals} seals");
        Assert.Equal((1u, 1u, 1u), (life.EpochOf(1), life.EpochOf(2), life.EpochOf(3)));
        return life;
    }

    private Life Create(CutPlan plan)
    {
        string folder = Path.Combine(_folder, (++_lives).ToString(System.Globalization.CultureInfo.InvariantCulture));
        return new Life(
            node =>
            {
                string own = Path.Combine(folder, $"node-{node}");
                var files = new FileStorage(own);
                return new CutStorage(files, own, plan);
            },
            1);
    }

    private static Life CreateInMemory(CutPlan plan)
    {
        var memories = Enumerable.Range(0, 4).Select(_ => new MemoryStorage()).ToArray();
        return new Life(node => new CutStorage(memories[node], null, plan), 1);
    }

    /// <summary>Readings, broadcasts, confirmed messages by pairwise, up and down keys, and a change of the network key.</summary>
    private static void Script(Life life, long allMs)
    {
        long ms = allMs % LifeMs;
        uint epoch = 1 + (uint)(allMs / LifeMs);
        life.EpochMax = epoch;
        if (ms is < 8_000 or > 16_000 && ms % 500 == 0)
        {
            life.Commit();
        }

        if (ms % 700 == 0)
        {
            life.With(3, (node, nowMs) => node.SendReading(nowMs, [1, 2, 3], 0, 3, out _));
        }

        if (ms % 900 == 0)
        {
            life.With(3, (node, nowMs) => node.Send(nowMs, MeshAddress.All, 40, MeshClass.Normal, false, [1], 0, 1, out _));
            life.With(3, (node, nowMs) => node.Send(nowMs, 2, 41, MeshClass.Normal, true, [2], 0, 1, out _));
            life.With(2, (node, nowMs) => node.Send(nowMs, MeshAddress.AnyGateway, 42, MeshClass.Normal, true, [3], 0, 1, out _));
            life.With(1, (node, nowMs) => node.Send(nowMs, 3, 43, MeshClass.Normal, true, [4], 0, 1, out _));
            life.With(3, (node, nowMs) => node.Ping(nowMs, 1, out _));
        }

        if (ms is >= 12_000 and < 22_000 && ms % 1_000 == 0)
        {
            life.With(1, (node, nowMs) =>
            {
                node.SetNextKey(nowMs, epoch, life.NetworkKey(epoch));
                node.SendNextKey(nowMs, 2);
                node.SendNextKey(nowMs, 3);
            });
        }

        if (ms >= 22_000 && ms % 1_000 == 0)
        {
            life.With(1, (node, nowMs) => node.SwitchEpoch(nowMs));
        }
    }
}
