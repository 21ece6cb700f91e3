using IoTMesh.Core;

namespace IoTMesh.Core.Tests.Routing;

/// <summary>protocol.md 5.3, places.</summary>
public class NeighborRankTests
{
    private const byte NoNeed = NeighborRank.NeedNone;
    private static readonly byte[] _claims =
    [
        NeighborRank.ClaimNone, NeighborRank.ClaimSpare, NeighborRank.ClaimHeard, NeighborRank.ClaimStranger, NeighborRank.ClaimAsking,
        NeighborRank.ClaimGateway,
    ];

    [Theory]
    [InlineData(false, false, false, false, NoNeed, NeighborRank.Idle)]
    [InlineData(false, false, false, true, NoNeed, NeighborRank.Relying)]
    [InlineData(false, false, true, true, NoNeed, NeighborRank.Newcomer)]
    [InlineData(false, true, false, false, NoNeed, NeighborRank.Spare)]
    [InlineData(false, true, false, true, NoNeed, NeighborRank.Relying)]
    [InlineData(false, true, false, true, NeighborRank.NeedItself, NeighborRank.Leaf)]
    [InlineData(false, true, false, false, NeighborRank.NeedOthers, NeighborRank.Bridge)]
    [InlineData(false, true, false, false, NeighborRank.NeedGateway, NeighborRank.Kept)]
    [InlineData(true, false, false, false, NoNeed, NeighborRank.Kept)]
    public void A_neighbor_ranks_by_what_hangs_on_it(bool isKept, bool isVerified, bool isAsked, bool relies, byte need, byte rank)
    {
        Assert.Equal(rank, NeighborRank.Of(isKept, isVerified, isAsked, relies, need));
    }

    /// <summary>The last claim that each rank withstands, at once and after its turn.</summary>
    [Theory]
    [InlineData(NeighborRank.Idle, 0u, NeighborRank.ClaimNone)]
    [InlineData(NeighborRank.Spare, 0u, NeighborRank.ClaimHeard)]
    [InlineData(NeighborRank.Relying, uint.MaxValue, NeighborRank.ClaimHeard)]
    [InlineData(NeighborRank.Leaf, 4_999u, NeighborRank.ClaimAsking)]
    [InlineData(NeighborRank.Leaf, 5_000u, NeighborRank.ClaimStranger)]
    [InlineData(NeighborRank.Bridge, 29_999u, NeighborRank.ClaimAsking)]
    [InlineData(NeighborRank.Bridge, 30_000u, NeighborRank.ClaimStranger)]
    [InlineData(NeighborRank.Kept, uint.MaxValue, NeighborRank.ClaimGateway)]
    [InlineData(NeighborRank.Newcomer, uint.MaxValue, NeighborRank.ClaimGateway)]
    public void A_higher_claim_takes_the_place(byte rank, uint tenureMs, byte withstands)
    {
        foreach (byte claim in _claims)
        {
            Assert.Equal(claim > withstands, NeighborRank.GivesWay(rank, claim, tenureMs));
        }
    }
}
